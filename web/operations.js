// @ts-check
/** The operations monitor: a dashboard that announces itself and is told everything it may see. */

const LISTED = { alerts: 8, log: 12 };
/** As the monitor's clients do. */
const RECONNECT_MS = 5_000;
const PING_MS = 30_000;
/** A place in the world is told by a client id of its own: an id is good for five connections of one address. */
const CLIENT_ID = `live_page_${Math.random().toString(36).slice(2, 10)}`;

/** @typedef {{ cpu_percent: number, memory_percent: number, disk_usage: number, network_status: string, uptime: number, active_services: number }} Status */
/** @typedef {{ level: string, title: string, message: string }} Alert */
/** @typedef {{ timestamp: string, level: string, logger_name: string, message: string }} Entry */

const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (document.getElementById(`ops-${name}`));

/** @param {string} name @param {string} text */
function write(name, text) {
  // a status that is written anew is read out anew
  if (part(name).textContent !== text) part(name).textContent = text;
}

/** @param {string} name @param {number} percent */
function gauge(name, percent) {
  /** @type {HTMLMeterElement} */ (part(name)).value = percent;
  write(`${name}-text`, `${percent.toFixed(1)} %`);
}

/** @param {number} seconds */
function spanText(seconds) {
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  return days > 0 ? `${days} d ${hours} h` : hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min`;
}

/** @param {'alerts' | 'log'} name @param {string} timestamp @param {string} level @param {string[]} texts */
function list(name, timestamp, level, ...texts) {
  const body = /** @type {HTMLTableSectionElement} */ (part(name));
  const row = body.insertRow(0);
  row.className = `level-${level.toLowerCase()}`;
  for (const text of [new Date(timestamp).toLocaleTimeString(), level, ...texts]) row.insertCell().textContent = text;
  while (body.rows.length > LISTED[name]) body.deleteRow(-1);
}

/** @type {Record<string, (message: { data: any, timestamp: string }) => void>} */
const SHOW = {
  connection_status: ({ data }) => write('state', `live · server ${data.server_version} · ${data.client_count} connections`),
  status_update(/** @type {{ data: Status }} */ { data }) {
    gauge('cpu', data.cpu_percent);
    gauge('memory', data.memory_percent);
    gauge('disk', data.disk_usage);
    write('uptime', spanText(data.uptime));
    write('services', String(data.active_services));
    write('network', data.network_status);
  },
  alert: (/** @type {{ data: Alert, timestamp: string }} */ { data, timestamp }) =>
    list('alerts', timestamp, data.level ?? '', data.title ?? 'a large message', data.message ?? ''),
  log_update(/** @type {{ data: { entries?: Entry[] } }} */ { data }) {
    for (const { timestamp, level, logger_name, message } of data.entries ?? []) list('log', timestamp, level, logger_name, message);
  },
  pong: ({ data }) => write('latency', `${data.latency_ms} ms`),
};

/** @param {import('./page.js').Access} access */
export function startOperations(access) {
  const protocols = access.token === null ? [] : ['push.json.v1', `bearer.${access.token}`];
  const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/ws`, protocols);
  const send = (/** @type {string} */ type, /** @type {object} */ data) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type, data, timestamp: new Date().toISOString() }));
  };
  const ping = () => send('ping', { client_time: new Date().toISOString() });
  const pinging = setInterval(ping, PING_MS);
  let opened = false;
  socket.onopen = () => {
    opened = true;
    send('client_info', {
      client_id: CLIENT_ID,
      client_type: 'web_dashboard',
      user_agent: navigator.userAgent,
      language: navigator.language,
    });
    ping();
  };
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'ping') socket.send(JSON.stringify({ type: 'pong' }));
    if (message.type === 'error') write('state', message.data.error_message);
    SHOW[message.type]?.(message);
  };
  socket.onclose = () => {
    clearInterval(pinging);
    // a browser does not say why a handshake was refused
    write('state', opened || access.token !== null ? 'not connected, trying again …' : `not connected, trying again … (${access.hint})`);
    setTimeout(startOperations, RECONNECT_MS, access);
  };
}
