// A picture from a file: what to show on the pad and what to send.

const KEPT_SIDE = 1024; // pixels of the longer side: more than the pad shows, and far more than the server needs
const SEND_LIMIT = 900_000; // bytes
const SERVER_SIDE = 4096; // pixels

/** Return the bitmap no larger than it is kept; the larger one is freed. A photo is 50 MB once it is decoded. */
async function reduce(bitmap) {
  const scale = KEPT_SIDE / Math.max(bitmap.width, bitmap.height);
  if (scale >= 1) return bitmap;
  const [resizeWidth, resizeHeight] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  try {
    return await createImageBitmap(bitmap, { resizeWidth, resizeHeight, resizeQuality: "high" });
  } finally {
    bitmap.close();
  }
}

function encode(bitmap) {
  const canvas = document.createElement("canvas");
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/webp", 0.9));
}

/** Resolve to {bitmap, file, name}; the caller closes the bitmap when it drops the picture. */
export async function openPicture(file) {
  const name = file.name || "picture";
  // A file the browser cannot show is still sent: the server says best what is wrong with it.
  const decoded = await createImageBitmap(file).catch(() => null);
  if (!decoded) return { bitmap: null, file, name };
  const tooLarge = file.size > SEND_LIMIT || Math.max(decoded.width, decoded.height) > SERVER_SIDE;
  const bitmap = await reduce(decoded);
  return { bitmap, file: (tooLarge && (await encode(bitmap))) || file, name };
}

export const firstPicture = (transfer) => [...(transfer?.files ?? [])].find((file) => file.type.startsWith("image/"));
