// Times of the admin in the reader's zone, and which zone that is.

import { describeZone, formatFullTime, formatTime } from "../../../recognition/js/format.js";

const times = document.querySelectorAll("#content time[datetime]");
for (const element of times) {
  element.textContent = formatTime(element.dateTime);
  element.title = formatFullTime(element.dateTime);
}
if (times.length > 0) {
  const note = document.createElement("p");
  note.className = "run-note zone";
  note.textContent = describeZone();
  document.querySelector("#content > br.clear")?.before(note);
}
