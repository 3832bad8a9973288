"""The product's own OpenAPI document and the page that shows it.

The views know nothing of it: each is described here by its name (drf-spectacular's view extensions). Only `views` is
imported when the server starts; drf-spectacular and the rest are when somebody first asks for the document, so that a
process which only reads drawings does not carry them.
"""
