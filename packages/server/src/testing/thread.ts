/**
 * A thread for work of a hundred thousand promises. The test runner follows every one of them on its own
 * thread, which costs more than the work does.
 */
import { once } from "node:events";
import { isMainThread, parentPort, Worker } from "node:worker_threads";

/** True in a test file that the runner has loaded, false in the thread that the file has started of itself. */
export const isTestRunner = isMainThread;

/** Loads the test file again, in a thread, and answers what it says there. */
export async function inThread<Result>(testFile: string): Promise<Result> {
  const worker = new Worker(new URL(testFile));
  const [result] = await once(worker, "message");
  await worker.terminate();
  return result;
}

/** Answers the runner's thread. */
export function answerRunner(result: unknown): void {
  parentPort?.postMessage(result);
}
