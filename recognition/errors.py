"""What can go wrong between a drawing and its digit, and the bounds that the messages name. Plain Python."""

from digits_site.web.errors import ApiError, Busy

MIN_SIDE, MAX_SIDE = 8, 4096  # the sides of a picture, in pixels
# Photos that are decoded reduced may have more. A progressive JPEG, HEIC and AVIF are whole in memory before that.
MAX_JPEG_PIXELS, MAX_PHOTO_PIXELS = 50_000_000, 25_000_000
PICTURE_FORMATS = "PNG, JPEG, WebP, HEIC, AVIF, GIF, BMP or TIFF"
MAX_DRAWINGS = 256  # drawings in a request
MAX_DIGITS = 20  # digits in a line
DATA_URL = "data:image/png;base64,…"


class RecognitionError(ApiError):
    """Base of the errors of this app."""


class MissingDrawing(RecognitionError):
    code = "missing_drawing"
    message = f'The request has no drawing. Send {{"drawing": "{DATA_URL}"}}.'


class InvalidType(RecognitionError):
    """The drawing is null, a number, a list or an object."""

    code = "invalid_type"
    message = "The drawing must be a string with a data URL."


class MissingDrawings(RecognitionError):
    """The drawings of a batch are not a list, or the list is empty."""

    code = "missing_drawings"
    message = f'The request has no list of drawings. Send {{"drawings": ["{DATA_URL}"]}}.'


class TooManyDrawings(RecognitionError):
    code = "too_many_drawings"
    message = f"The request has too many drawings. Send at most {MAX_DRAWINGS}."


class InvalidDataURL(RecognitionError):
    code = "invalid_data_url"
    message = f"The drawing must be a picture in base64, with or without a data URL prefix: {DATA_URL}"


class InvalidBase64(RecognitionError):
    code = "invalid_base64"
    message = "The drawing's data is not valid base64."


class InvalidPixels(RecognitionError):
    code = "invalid_pixels"
    message = "The pixels must be 784 numbers, or 28 lists of 28 numbers, from 0 to 1 or from 0 to 255."


class NotAnObject(RecognitionError):
    """The JSON body is a list, a number, a string or null."""

    code = "not_an_object"
    message = f'The body must be a JSON object such as {{"drawing": "{DATA_URL}"}}.'


class EmptyImage(RecognitionError):
    code = "empty_image"
    message = f"The drawing has no data. Send a {PICTURE_FORMATS} file."


class UnsupportedImage(RecognitionError):
    """The bytes are of no format that is read, whatever the media type says."""

    code = "unsupported_image"
    status = 415
    message = f"Unsupported file. Use {PICTURE_FORMATS}."


class CorruptImage(RecognitionError):
    """The bytes begin as a picture but cannot be decoded."""

    code = "corrupt_image"
    message = "The picture is damaged and cannot be decoded."


class ImageTooLarge(RecognitionError):
    """The header declares too many pixels; nothing was decoded."""

    code = "image_too_large"
    status = 413
    message = (
        f"The picture is too large. Use at most {MAX_SIDE} x {MAX_SIDE} pixels "
        f"(JPEG: {MAX_JPEG_PIXELS // 10**6} megapixels, HEIC and AVIF: {MAX_PHOTO_PIXELS // 10**6})."
    )


class ImageTooSmall(RecognitionError):
    code = "image_too_small"
    message = f"The picture is too small. Use at least {MIN_SIDE} x {MIN_SIDE} pixels."


class BlankDrawing(RecognitionError):
    """The picture is valid, but has no ink."""

    code = "blank_drawing"
    status = 422
    message = "No digit found in this picture. Draw one and send it again."


class TooManyDigits(RecognitionError):
    code = "too_many_digits"
    status = 422
    message = f"The picture has too many digits or other marks. Send one line of at most {MAX_DIGITS} digits."


class DecodingBusy(Busy):
    """Every decode slot is taken, and none came free in time."""

    message = "The server is busy with other drawings. Try again shortly."


class ModelUnavailable(RecognitionError):
    code = "model_unavailable"
    status = 503
    message = "No model is available. Try again shortly."


class ModelNotFound(RecognitionError):
    """`?model=` names a model that does not exist."""

    code = "model_not_found"
    status = 404
    message = "There is no such model."


class LoadingBusy(Busy):
    """Another model is being loaded for other requests."""

    retry_after = 1  # a file on disk takes milliseconds
    message = "The server is loading other models. Try again shortly."


class ModelRejected(RecognitionError):
    """A model file is missing, torn, incompatible or not the published one."""

    code = "model_rejected"
    status = 409
    message = "The model file cannot be used."


class NoFile(RecognitionError):
    """The model has no file of that kind, or it is gone."""

    code = "no_file"
    status = 404
    message = "This model has no such file."


class StorageUnavailable(RecognitionError):
    """The bucket of model files does not answer, or denies access."""

    code = "storage_unavailable"
    status = 503
    message = "The storage of model files cannot be reached. Try again later."


class LessAccurate(RecognitionError):
    """The model in service is more accurate than the one to activate."""

    code = "less_accurate"
    status = 409
    message = "The model in service is more accurate."


class NoEarlierModel(RecognitionError):
    """A rollback was requested, but no model was in service before the current one."""

    code = "no_earlier_model"
    status = 409
    message = "There is no earlier model to roll back to."


class InvalidLabel(RecognitionError):
    code = "invalid_label"
    message = "The label must be an integer from 0 to 9, or null for a drawing that shows no digit."


class CorrectionsClosed(RecognitionError):
    """CORRECTIONS_OPEN is false, and the caller may not review."""

    code = "corrections_closed"
    status = 403
    message = "This site does not accept corrections."


class CorrectionsFull(RecognitionError):
    """MAX_PENDING_CORRECTIONS wait for review."""

    code = "corrections_full"
    status = 503
    message = "Too many corrections are waiting for review. Try again later."


class NoCorrection(RecognitionError):
    """There is no such correction, or the caller may not take it back."""

    code = "no_correction"
    status = 404
    message = "There is no such correction, or it can no longer be undone."


class WorseThanChampion(RecognitionError):
    """The comparison with the model in service is against the challenger."""

    code = "worse_than_champion"
    status = 409
    message = "This model did worse than the model in service in their comparison. Give a reason to activate it anyway."
