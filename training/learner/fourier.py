"""The second convolution by the discrete Fourier transform: the same sums up to rounding, a seventh of the products.

Correlation multiplies spectra (the convolution theorem); what wraps around at the picture's edge misses the 8x8 results
that count. Every transform is a product with a constant matrix from the left. For that, pictures are [row, column,
channel, digit], and nothing is moved in memory between the steps.
"""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

SIDE, TAPS, VALID = 12, 5, 8
# Rows have odd frequencies, of which half are conjugates of the others and none is real: no product is wasted.
ROWS = np.exp(-1j * np.pi * np.outer(2 * np.arange(SIDE // 2) + 1, np.arange(SIDE)) / SIDE)  # [frequency, row]
COLUMNS = np.exp(-2j * np.pi * np.outer(np.arange(SIDE), np.arange(SIDE)) / SIDE)  # [frequency, column]
# Complex numbers are two real ones: z = sum(JOIN * parts), parts = real(SPLIT * z).
JOIN, SPLIT = np.array([1, 1j]), np.array([1, -1j])
# Gauss: a complex product takes three real ones: u * v = sum(JOIN_3 * real(SPLIT_U * u) * real(SPLIT_V * v)).
SPLIT_U, SPLIT_V, JOIN_3 = np.array([1 - 1j, 1, -1j]), np.array([1, -1 - 1j, 1 - 1j]), np.array([1 + 1j, 1j, -1])
PRODUCTS = 3 * len(ROWS) * len(COLUMNS)


def matrix(shape: tuple[int, int], subscripts: str, *factors: Any) -> NDArray[np.float32]:
    """Return the real part of a product of complex arrays as a matrix."""
    return np.einsum(subscripts, *factors).real.reshape(shape).astype(np.float32)


TRANSFORM_ROWS = matrix((12, 12), "p,ky->kpy", SPLIT, ROWS)
TRANSFORM_COLUMNS = matrix((36, 24), "g,lx,p->lgpx", SPLIT_U, COLUMNS, JOIN)
TRANSFORM_KERNEL = matrix(
    (PRODUCTS, TAPS**2), "g,ky,lx->klgyx", SPLIT_V, ROWS[:, :TAPS].conj(), COLUMNS[:, :TAPS].conj()
)
INVERT_COLUMNS = matrix((16, 36), "p,lx,g->pxlg", SPLIT, COLUMNS[:, :VALID].conj() / SIDE, JOIN_3)
INVERT_ROWS = matrix((8, 12), "ky,p->ykp", ROWS[:, :VALID].conj() / (SIDE / 2), JOIN)


def kernel_spectrum(kernel: tf.Tensor) -> tf.Tensor:
    """Transform a kernel [5, 5, I, O] -> [216, I, O], once for all parts of a batch."""
    channels = kernel.shape[2:]
    return tf.reshape(multiply(TRANSFORM_KERNEL, tf.reshape(kernel, [TAPS**2, -1])), [PRODUCTS, *channels])


def convolve(pictures: tf.Tensor, spectrum: tf.Tensor) -> tf.Tensor:
    """Convolve pictures [12, 12, I, N] without padding -> [8, 8, O, N], as `tf.nn.conv2d` does."""
    count = tf.shape(pictures)[3]
    rows = multiply(TRANSFORM_ROWS, tf.reshape(pictures, [SIDE, -1]))
    both = multiply(TRANSFORM_COLUMNS, tf.reshape(rows, [SIDE // 2, 2 * SIDE, -1]))
    products = tf.matmul(spectrum, tf.reshape(both, [PRODUCTS, -1, count]), transpose_a=True)
    rows = multiply(INVERT_COLUMNS, tf.reshape(products, [SIDE // 2, 3 * SIDE, -1]))
    return tf.reshape(multiply(INVERT_ROWS, tf.reshape(rows, [SIDE, -1])), [VALID, VALID, -1, count])


def multiply(constant: NDArray[np.float32], values: tf.Tensor) -> tf.Tensor:
    """Multiply [R, K] by values [..., K, M]; oneDNN takes half the time if the left matrix is stored transposed."""
    leading = (1,) * (values.shape.rank - 2)
    stored = constant.reshape(*leading, *constant.shape)
    transposed = constant.T.reshape(*leading, *constant.T.shape).copy()

    @tf.custom_gradient
    def product(values: tf.Tensor) -> tuple[tf.Tensor, Any]:
        return tf.matmul(transposed, values, transpose_a=True), lambda of: tf.matmul(stored, of, transpose_a=True)

    return product(values)
