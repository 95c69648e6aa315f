/** The parameters of a query as API Gateway passes them on: decoded, and the values of a repeated one joined. */
export function readQuery(query: string): Record<string, string> {
  const parameters = new URLSearchParams(query);
  return Object.fromEntries([...new Set(parameters.keys())].map((name) => [name, parameters.getAll(name).join(',')]));
}
