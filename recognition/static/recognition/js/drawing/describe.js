// Say in words what was predicted, how sure it is, and why it is uncertain or cannot be read.

import { formatProbability } from "../format.js";

const MIN_READABLE = 0.5; // less says that another digit, or none, is as likely
const MIN_RUNNER_UP = 0.2; // twice what each of ten digits has by chance

// Why an answer is uncertain, and what to do: one sentence or two for each `uncertain_reason`.
const REASONS = {
  low_confidence: "Two digits are likely. Write it more clearly.",
  not_a_digit: "Write one from 0 to 9.",
  several_digits: "This looks like several digits. Leave some space between them.",
  cut_off: "The digit is cut off at the edge. Leave some space around it.",
  surroundings: "Something around the digit may have been read with it. Move closer, or crop the picture.",
};
// Of a number whose digits are each certain.
const NUMBER_REASONS = { ...REASONS, low_confidence: "Leave some space between the digits." };

const listFormat = new Intl.ListFormat("en");
const best = ({ probabilities, prediction }) => probabilities[prediction];

/** Whether the network can tell which digit it is. */
export const isReadable = (digit) => digit.uncertain_reason !== "not_a_digit" && best(digit) >= MIN_READABLE;

/** Return the digit, or a question mark. */
export const glyph = (digit) => (isReadable(digit) ? String(digit.prediction) : "?");

/** Return the probability of the whole number, which is at most that of its least likely digit: it may be rounded to 1. */
const probabilityOf = ({ confidence, digits }) =>
  digits.length === 1 ? best(digits[0]) : Math.min(confidence / 100, ...digits.map(best));

export const isNumberReadable = (number) => number.digits.every(isReadable) && probabilityOf(number) >= MIN_READABLE;

export function describeVerdict(number) {
  if (!isNumberReadable(number)) return `I can't read this as one ${number.digits.length > 1 ? "number" : "digit"}.`;
  return `${number.uncertain ? "Perhaps" : "Read as"} ${number.number}, ${formatProbability(probabilityOf(number))} sure.`;
}

/** Return a sentence about the second most probable digit, if it is likely and one may be right. */
function describeRunnerUp(digit) {
  if (!isReadable(digit)) return "";
  const [other, probability] = [...digit.probabilities.entries()]
    .filter(([index]) => index !== digit.prediction)
    .sort((a, b) => b[1] - a[1])[0];
  return probability >= MIN_RUNNER_UP ? `It could also be ${other} (${formatProbability(probability)}).` : "";
}

function describeDoubt({ uncertain, uncertain_reason: reason }, isRead, reasons = REASONS) {
  if (uncertain) return reasons[reason] ?? "This may not be a digit.";
  return isRead ? "" : reasons.not_a_digit;
}

const placesOf = ({ digits }, test) => digits.flatMap((digit, index) => (test(digit) ? [String(index + 1)] : []));

/** Return which digits of a number cannot be read, or else are uncertain. */
function describeUncertainDigits(number) {
  const unread = placesOf(number, (digit) => !isReadable(digit));
  const places = unread.length ? unread : placesOf(number, ({ uncertain }) => uncertain);
  if (places.length === 0) return describeDoubt(number, isNumberReadable(number), NUMBER_REASONS);
  const isAll = places.length === number.digits.length;
  const named = `Digit${places.length > 1 ? "s" : ""} ${listFormat.format(places)}`;
  if (unread.length) return isAll ? "None of the digits can be read." : `${named} can't be read.`;
  return isAll ? "All digits are uncertain." : `${named} ${places.length > 1 ? "are" : "is"} uncertain.`;
}

/** Return why the answer is uncertain or cannot be read, and what to do; nothing for a certain one. */
export function describeReason(number) {
  const isRead = isNumberReadable(number);
  if (number.digits.length === 1) return describeDoubt(number, isRead);
  return number.uncertain || !isRead ? describeUncertainDigits(number) : "";
}

/** Return what is known of the open digit beyond the verdict. */
export function describeDetails(opened, isNumber) {
  if (!isNumber) return describeRunnerUp(opened);
  const name = `Digit ${opened.index + 1}`;
  const verdict = isReadable(opened) ? `${name}: ${opened.prediction}, ${formatProbability(best(opened))} sure.` : `${name} can't be read.`;
  return [verdict, describeDoubt(opened, isReadable(opened)), describeRunnerUp(opened)].filter(Boolean).join(" ");
}

export const describeButton = (digit, index) =>
  isReadable(digit)
    ? `Digit ${index + 1}: ${digit.prediction}, ${formatProbability(best(digit))} sure${digit.uncertain ? ", uncertain" : ""}`
    : `Digit ${index + 1}: can't be read`;
