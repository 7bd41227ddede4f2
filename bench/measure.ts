// Measuring several runners by turns, so that a machine that grows slower or faster does so for all of them.

/** Somebody who does the same work over and over. */
export interface Runner {
  readonly name: string
  /** Runs so many times, then waits once for all of them; gives the seconds that took. */
  round(repeats: number): Promise<number>
}

/** Seconds per run: the median and the spread from the 10th to the 90th percentile of the rounds. */
export interface Spread {
  readonly median: number
  readonly p10: number
  readonly p90: number
  readonly rounds: number
  /** Runs in a round. */
  readonly repeats: number
}

// Short runs are gathered until a round lasts about this long: it hides the wait at its end, and the clock's steps.
const roundSeconds = 0.02
const mostRepeats = 500

/** The value below which the share `p` of the sorted values lies, interpolated. */
function percentile(sorted: readonly number[], p: number): number {
  const place = p * (sorted.length - 1)
  const below = Math.floor(place)
  const above = Math.min(below + 1, sorted.length - 1)
  return sorted[below] + (place - below) * (sorted[above] - sorted[below])
}

/** The spread of seconds per run, one value a round. */
export function spreadOf(values: readonly number[], repeats: number): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  return {
    median: percentile(sorted, 0.5),
    p10: percentile(sorted, 0.1),
    p90: percentile(sorted, 0.9),
    rounds: sorted.length,
    repeats,
  }
}

interface Turn {
  runner: Runner
  repeats: number
  total: number
  rounds: number[]
  failure?: Error
}

/**
 * Measures warm runners round by round, each for about `seconds` in all and for at least one round. A runner that fails
 * drops out with its error.
 */
export async function measure(runners: readonly Runner[], seconds: number): Promise<(Spread | Error)[]> {
  const turns: Turn[] = runners.map(runner => ({ runner, repeats: 1, total: 0, rounds: [] }))
  const round = async (turn: Turn) => {
    try {
      const took = await turn.runner.round(turn.repeats)
      turn.total += took
      turn.rounds.push(took / turn.repeats)
    } catch (error) {
      turn.failure = error as Error
    }
  }
  for (const turn of turns) {
    await round(turn)
    const [first] = turn.rounds
    if (turn.failure || first >= roundSeconds) continue // as good as any other round
    turn.repeats = Math.min(mostRepeats, Math.ceil(roundSeconds / Math.max(first, 1e-6)))
    turn.rounds = []
    turn.total = 0
  }
  const unfinished = ({ failure, total, rounds }: Turn) => !failure && (rounds.length === 0 || total < seconds)
  while (turns.some(unfinished)) for (const turn of turns.filter(unfinished)) await round(turn)
  return turns.map(({ failure, rounds, repeats }) => failure ?? spreadOf(rounds, repeats))
}
