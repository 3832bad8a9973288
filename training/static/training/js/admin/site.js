// Every page of the admin: times in the reader's zone, and labels for the cells of lists, which are cards on a phone.

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

const table = document.querySelector("#result_list");
const labels = [...(table?.tHead.rows[0].cells ?? [])].map((cell) => cell.querySelector(".text")?.textContent.trim() ?? "");
for (const row of table?.tBodies[0].rows ?? []) {
  for (const [place, cell] of [...row.cells].entries()) cell.dataset.label = labels[place];
}
