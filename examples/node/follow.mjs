/** Prints what comes on some logs, in a project that has the package: node follow.mjs ops:alert ops:service_event */
import { createClient } from 'realtime-push-client';

const url = process.env.PUSH_URL ?? 'http://localhost:8000';
// Node 20 has no WebSocket of its own
const WebSocket = globalThis.WebSocket ?? (await import('ws')).WebSocket;
const client = createClient({ url, env: { WebSocket } });
client.on('status', (status) => console.error(status));
client.on('error', (error) => console.error(error.message));
for (const topic of process.argv.slice(2)) client.follow(topic, (message) => console.log(JSON.stringify(message)), { last: 5 });
client.start();
process.once('SIGINT', () => client.close());
