export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  /** With `*` and `?`. */
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

export interface Gate {
  /** Why the caller that signed a request may not do this; `null` = it may. Only functions are refused. */
  refusal(authorization: string | undefined, action: string, resource: string): string | null;
  /** The same for a function by its name. */
  refusalOf(name: string, action: string, resource: string): string | null;
  /** Each statement's action and resource that allowed something: `function action resource`. */
  used(): string[];
}

/** Why a function's signature is refused for its date; `null` = it is not. Only functions live in the time of the local run. */
export function dateRefusal(headers: Readonly<Record<string, string | string[] | undefined>>, nowMs: number): string | null;

/** Whether a pattern with `*` and `?` fits. */
export function matches(pattern: string, text: string): boolean;

/** The access key with which a function signs. */
export function accessKeyOf(name: string): string;
/**
 * @param grants each function's statements, by its name
 * @param tell told of the first refusal of each function's action
 */
export function makeGate(grants: Readonly<Record<string, readonly Statement[]>>, tell: (refusal: string) => void): Gate;
