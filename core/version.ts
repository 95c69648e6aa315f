/** As `/api/health` and the sockets show it. A test holds it to package.json. */
export const VERSION = '0.2.0';
