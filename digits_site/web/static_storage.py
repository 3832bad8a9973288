"""Static files under fingerprinted, compressed names."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Also rewrites `import … from "./x.js"` inside the page's ES modules, so that they can be cached for ever."""

    support_js_module_import_aggregation = True
