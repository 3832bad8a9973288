// A picture from a file: what to show on the pad and what to send.

const SEND_LIMIT = 900_000;
const SHRUNK_SIDE = 1024;

/** A phone's photograph is larger than the server takes and far larger than it needs. */
async function shrink(bitmap) {
  const scale = Math.min(1, SHRUNK_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/webp", 0.9));
}

export async function openPicture(file) {
  // A file the browser cannot show is still sent: the server says best what is wrong with it.
  const bitmap = await createImageBitmap(file).catch(() => null);
  const shrunk = bitmap && file.size > SEND_LIMIT ? await shrink(bitmap) : null;
  return { bitmap, file: shrunk ?? file, name: file.name || "picture" };
}

export const firstPicture = (transfer) => [...(transfer?.files ?? [])].find((file) => file.type.startsWith("image/"));
