/** Where a value stands while it is read. */
import type * as ast from '../../../grammar/ast.ts';
import type { Compare, TensorId } from '../../ir/tensor/program.ts';
import type { Frame, Session } from '../context.ts';
import type { Quantity } from '../numbers/polynomial.ts';
import type { Scope } from '../names/scope.ts';

/** Where a value stands. */
export interface Place {
  readonly session: Session;
  readonly frame: Frame;
  /** The frame's scope and the indices of the equation and the reductions around. */
  readonly scope: Scope;
  /** Variables of the equation's left side. */
  readonly outputs: readonly number[];
  /** Variables of the reductions around. */
  readonly reduced: readonly number[];
  /** Guards of the conditionals and reductions around. */
  readonly guards: readonly Compare[];
  /** An equation between whole tensors: bare names stand for their entries at the outputs. */
  readonly whole: boolean;
  /** The value is a whole right-hand side: what it applies a table to has all the outputs as indices. */
  readonly exact?: boolean;
  /** Full name of the tensor being defined. */
  readonly name: string;
  /** Its calibration key: what stands inside gets keys that begin with it. */
  readonly key: string;
  /** Results of the block calls and views that stand in the value. */
  readonly prepared: ReadonlyMap<ast.Value, TensorId>;
  /** Makes a tensor of a call (`round`, a table) or a maximum that stands inside an expression, and reads its entry. */
  readonly derive: (place: Place, node: ast.Call | ast.Reduce) => Quantity;
}
