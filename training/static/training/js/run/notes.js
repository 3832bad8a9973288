// Sentences about a run's curves.

import { formatCount } from "../../../recognition/js/format.js";

const ALL_DIGITS = 60_000;
const LEARNED = 0.5; // a test accuracy: below, chance decides which of two is higher

/** Say why a run has no validation curve; "" if it has one. */
export function describeValidation({ preset, parameters, epochs }) {
  if (parameters?.validation_samples !== 0 || epochs.some(({ val_accuracy }) => Number.isFinite(val_accuracy))) return "";
  const { samples } = parameters;
  const all = samples === ALL_DIGITS ? `The preset ${preset} trains on all ${formatCount(ALL_DIGITS)} digits` : `This run trains on ${formatCount(samples)} digits and holds none back`;
  return `${all}, so there is no validation curve. Hold some back with “Validation samples”.`;
}

const describeShare = (dropout) => (dropout === 0.5 ? "half" : `${Math.round(dropout * 100)}%`);

/**
 * Return why training accuracy lies below the accuracy that is measured without dropout, and whether it `holds`: whether
 * it lies below the test accuracy, or in most epochs below the validation accuracy.
 */
export function describeDropout({ epochs, parameters, test_accuracy }, { dropout, augmented } = {}) {
  if (!dropout) return { text: "", holds: false };
  const other = parameters?.validation_samples > 0 ? "validation" : "test";
  const lower = epochs.filter(({ accuracy, val_accuracy }) => accuracy < val_accuracy);
  const holds = other === "validation" ? lower.length > epochs.length / 2 : test_accuracy > LEARNED && epochs.at(-1)?.accuracy < test_accuracy;
  const distorted = augmented ? "Training digits are distorted, and dropout" : "Dropout";
  return {
    text: `${distorted} switches off ${describeShare(dropout)} of the units during training, so training accuracy lies below ${other} accuracy.`,
    holds,
  };
}
