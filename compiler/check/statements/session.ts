/** Sessions: one for each model, and trials, which go on from one without a trace in it. */
import { ALL_POINTS } from '../indices/bounds.ts';
import type { Session } from '../context.ts';
import type { Reporter } from '../report.ts';
import { instantiate } from './blocks.ts';
import { walkStatements } from './statements.ts';

type State = Omit<Session, 'bounds' | 'walk' | 'instantiate'>;

/** @param known what proofs of bounds have found before */
function sessionOf(state: State, known: Map<string, unknown>): Session {
  const session: Session = {
    ...state,
    bounds: {
      variable: (id) => ({ lo: 0, hi: session.variables[id].size - 1 }),
      entry: (tensor) => {
        const { type } = session.tensors[tensor];
        return { lo: 0, hi: type?.kind === 'index' ? type.size - 1 : 0 };
      },
      proofs: { known, points: ALL_POINTS },
    },
    walk: (frame, statements) => {
      walkStatements(session, frame, statements);
    },
    instantiate: (frame, call, block, instance) => instantiate(session, frame, call, block, instance),
  };
  return session;
}

export function newSession(
  reporter: Reporter,
  calibration: Session['calibration'],
  override: Session['override'],
): Session {
  const state: State = {
    reporter,
    variables: [],
    tensors: [],
    equations: [],
    tables: [],
    constants: new Map(),
    constantEntries: new Map(),
    statement: [],
    stateSources: new Set(),
    training: new Set(),
    weights: new Map(),
    keys: new Map(),
    widths: new Map(),
    calibration,
    uncalibrated: [],
    named: new Map(),
    names: new Set(),
    derived: new Map(),
    instances: new Set(),
    open: [],
    calls: [],
    tableIds: new Map(),
    statements: 0,
    override,
  };
  return sessionOf(state, new Map());
}

/**
 * A session that has read what `session` has, and whose tensors and equations are thrown away: nothing that is read in it
 * changes the program. Calibration keys are new, so that `uncalibrated` says what was missing in the trial alone.
 */
export function trialOf(session: Session, reporter: Reporter): Session {
  const state: State = {
    ...session,
    reporter,
    variables: [...session.variables],
    tensors: [...session.tensors],
    equations: [...session.equations],
    tables: [...session.tables],
    constants: new Map(session.constants),
    statement: [...session.statement],
    stateSources: new Set(session.stateSources),
    training: new Set(session.training),
    weights: new Map(session.weights),
    keys: new Map(),
    widths: new Map(),
    uncalibrated: [],
    named: new Map(),
    names: new Set(session.names),
    derived: new Map(session.derived),
    instances: new Set(session.instances),
    open: [],
    calls: [...session.calls],
    tableIds: new Map([...session.tableIds].map(([table, instances]) => [table, new Map(instances)])),
    statements: 0,
  };
  return sessionOf(state, session.bounds.proofs.known);
}
