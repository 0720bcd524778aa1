/** The figures in words, one line each. */
import type { AnswerTimeFigures } from "../figures/answer-time.ts";
import type { HalfPeakFigure, OverloadFigure, UsersFigure } from "../figures/figures.ts";
import { power, short, spread, whole } from "./numbers.ts";

/** Undefined is what the options left out. */
export interface Figures {
  start: { startMs: number; referenceStartMs: number; idleMiB: number };
  users?: UsersFigure | undefined;
  halfPeak?: HalfPeakFigure | undefined;
  overload?: OverloadFigure | undefined;
  answerTime?: AnswerTimeFigures | undefined;
}

export function figuresInWords({ start, users, halfPeak, overload, answerTime }: Figures): string[] {
  const lines = [
    `ready ${whole(start.startMs)} ms after its start (the reference: ${whole(start.referenceStartMs)} ms), ${start.idleMiB} MiB then`,
  ];
  if (users !== undefined) {
    const { fewest, most, rateRatio, p99 } = users;
    lines.push(
      `${power(most)} users against ${power(fewest)}: ${spread(rateRatio)} of the rate; p99 ${short(p99.most)} against ${short(p99.fewest)} ms`,
    );
  }
  if (halfPeak !== undefined) {
    const { rate, peakRate, p50, p99, p99ToP50 } = halfPeak;
    lines.push(
      `at half the peak, ${whole(rate)} of ${whole(peakRate)} a second: p50 ${short(p50)} ms, p99 ${short(p99)} ms, p99 is ${spread(p99ToP50)} times p50`,
    );
  }
  if (overload !== undefined) {
    const { connections, goodputRatio, memoryMiB, p99, refused, failures } = overload;
    lines.push(
      `${connections.overload} connections against the peak's ${connections.peak}: ${spread(goodputRatio)} of the rate, ${whole(memoryMiB.overload)} against ${whole(memoryMiB.peak)} MiB, p99 ${short(p99.overload)} against ${short(p99.peak)} ms, ${short(refused * 100)} % refused, ${failures} bad answers`,
    );
  }
  if (answerTime !== undefined) lines.push(...answerTimeInWords(answerTime));
  return lines;
}

function answerTimeInWords({ onTheBeat, uniformity }: AnswerTimeFigures): string[] {
  const { answerTimeMs, connections, rate, p50, p99 } = onTheBeat;
  return [
    `answerTimeMs ${answerTimeMs}, ${connections} connections: ${whole(rate)} a second, p50 ${short(p50)} ms, p99 ${short(p99)} ms`,
    ...uniformity.map(
      ({ answerTimeMs: at, t, answers, meanMs }) =>
        `answerTimeMs ${at}, a wrong code for a user or for nobody: Welch's t ${t.toFixed(1)} over ${whole(answers)} answers, ${meanMs.user.toFixed(3)} and ${meanMs.nobody.toFixed(3)} ms`,
    ),
  ];
}
