// Open a picture file: a bitmap for the pad and a file to send.

const MAX_SIDE = 1024; // pixels of the longer side: more than pad and server need
const UPLOAD_LIMIT_BYTES = 900_000;
const SERVER_MAX_SIDE = 4096; // pixels

/** Return the bitmap scaled down to MAX_SIDE and close the larger one: a decoded photo takes 50 MB. */
async function shrink(bitmap) {
  const scale = MAX_SIDE / Math.max(bitmap.width, bitmap.height);
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

/** Resolve to {bitmap, file, name, size}: the size of the file's picture in pixels. The caller closes the bitmap. */
export async function openPicture(file) {
  const name = file.name || "picture";
  // Send a file that the browser can't decode as well: the server reports what is wrong with it.
  const decoded = await createImageBitmap(file).catch(() => null);
  if (!decoded) return { bitmap: null, file, name, size: null };
  const tooLarge = file.size > UPLOAD_LIMIT_BYTES || Math.max(decoded.width, decoded.height) > SERVER_MAX_SIDE;
  const { width, height } = decoded; // closing it sets them to 0
  const bitmap = await shrink(decoded);
  const smaller = tooLarge && (await encode(bitmap));
  if (smaller) return { bitmap, file: smaller, name, size: { width: bitmap.width, height: bitmap.height } };
  return { bitmap, file, name, size: { width, height } };
}

export const firstPicture = (transfer) => [...(transfer?.files ?? [])].find((file) => file.type.startsWith("image/"));
