"""What can go wrong between a drawing and its digit. Plain Python."""

from __future__ import annotations

from digits_site.web.errors import ApiError


class RecognitionError(ApiError):
    """Base of the errors of this app."""


class MissingDrawing(RecognitionError):
    """The request names no drawing."""

    code = "missing_drawing"
    message = "There is no drawing in the request."


class InvalidType(RecognitionError):
    """The drawing is not text: null, a number, a list, an object."""

    code = "invalid_type"
    message = "The drawing must be a data URL, as text."


class MissingDrawings(RecognitionError):
    """A batch is no list, or an empty one."""

    code = "missing_drawings"
    message = 'There is no list of drawings in the request, or it is empty: {"drawings": ["data:image/png;base64,…"]}.'


class TooManyDrawings(RecognitionError):
    """A batch holds more than is taken at once."""

    code = "too_many_drawings"
    message = "A request takes at most 256 drawings."


class InvalidDataURL(RecognitionError):
    """The text is not a base64 data URL."""

    code = "invalid_data_url"
    message = "The drawing must be a data URL: data:image/png;base64,..."


class InvalidBase64(RecognitionError):
    """What follows the comma of the data URL is not base64."""

    code = "invalid_base64"
    message = "The drawing's data is not valid base64."


class EmptyImage(RecognitionError):
    """There are no bytes at all where a picture was expected."""

    code = "empty_image"
    message = "The drawing holds no picture."


class UnsupportedImage(RecognitionError):
    """The bytes are not PNG, JPEG or WebP, whatever they were said to be."""

    code = "unsupported_image"
    status = 415
    message = "The picture must be PNG, JPEG or WebP."


class CorruptImage(RecognitionError):
    """The bytes begin as PNG, JPEG or WebP but cannot be decoded."""

    code = "corrupt_image"
    message = "The picture is damaged and could not be decoded."


class ImageTooLarge(RecognitionError):
    """The header declares more pixels than are accepted; nothing was decoded."""

    code = "image_too_large"
    status = 413
    message = "The picture is too large: at most 4096 x 4096 pixels."


class ImageTooSmall(RecognitionError):
    """The header declares fewer pixels than a digit needs."""

    code = "image_too_small"
    message = "The picture is too small: at least 8 x 8 pixels."


class BlankDrawing(RecognitionError):
    """The picture is fine, but nothing is drawn on it."""

    code = "blank_drawing"
    status = 422
    message = "There is nothing drawn in the picture."


class Busy(RecognitionError):
    """As many pictures as may be are being decoded, and none was done in time."""

    code = "busy"
    status = 503
    message = "Too many drawings are being read at the moment. Please try again shortly."


class ModelUnavailable(RecognitionError):
    """No model can answer at the moment."""

    code = "model_unavailable"
    status = 503
    message = "No model is ready to read digits. Please try again shortly."


class ModelRejected(RecognitionError):
    """A model file is torn, wrong or incompatible and was not put into use."""

    code = "model_rejected"
    status = 409
    message = "The model file was refused."


class NotAnObject(RecognitionError):
    """The JSON body is a list, a number, a string or null."""

    code = "not_an_object"
    message = 'The body must be a JSON object such as {"drawing": "data:image/png;base64,…"}.'


class NoFile(RecognitionError):
    """A model has no file of that kind, or it is gone."""

    code = "no_file"
    status = 404
    message = "This model has no such file."


class StorageUnavailable(RecognitionError):
    """The bucket of model files does not answer, or refuses."""

    code = "storage_unavailable"
    status = 503
    message = "The storage of model files cannot be reached. Try again later."


class LessAccurate(RecognitionError):
    """The model in service reads more of the test digits than the one that was to replace it."""

    code = "less_accurate"
    status = 409
    message = "The model in service is more accurate."


class NoEarlierModel(RecognitionError):
    """A roll back was asked for while nothing served before the present model."""

    code = "no_earlier_model"
    status = 409
    message = "There is no earlier model to roll back to."
