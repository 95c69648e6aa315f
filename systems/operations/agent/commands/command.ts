/** A command as it comes: `data` of a `service_command`. */
import * as v from 'valibot';
import { instant, optional } from '../../../../core/base/validation.ts';
import { ACTIONS } from '../../command.ts';

const command = v.object({
  command_id: v.string(),
  service_id: v.string(),
  action: v.picklist(ACTIONS),
  options: optional(v.object({ force: optional(v.boolean()) }), {}),
  expires_at: instant,
});
export type Command = v.InferOutput<typeof command>;

/** `null`: it is none. */
export function readCommand(data: unknown): Command | null {
  const read = v.safeParse(command, data);
  return read.success ? read.output : null;
}
