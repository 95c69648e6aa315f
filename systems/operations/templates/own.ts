/** The JSON files of the folder that WEBHOOK_TEMPLATES names, by name without `.json`. The bundler puts them in the place of this module. */
export const FILES: Readonly<Record<string, unknown>> = {};
