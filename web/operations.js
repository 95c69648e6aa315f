// @ts-check
/** The operations monitor: a dashboard that announces itself and subscribes to everything. After a reconnect it resumes from its last positions. */
import { actionButton, allowActions, serviceAction, showRefusal, showService } from './services.js';
import { AWAY, isRefused, listen, send } from './socket.js';

const BROADCASTS = ['status_update', 'service_event', 'alert', 'log_update', 'webhook_event', 'posco_event'];
const LISTED = { alerts: 8, log: 12 };
/** A page that comes sees so much of what was. */
const BEFORE = 30;
const PING_MS = 30_000;
/** Each page has its own id, because one id allows only five connections from one address. */
const CLIENT_ID = `live_page_${Math.random().toString(36).slice(2, 10)}`;

/** @typedef {{ cpu_percent: number, memory_percent: number, disk_usage: number, network_status: string, uptime: number, active_services: number }} Status */
/** @typedef {{ timestamp: string, level: string, logger_name: string, message: string }} Entry */

/** Last position by event type, to resume from after a reconnect. @type {Map<string, string>} */
const positions = new Map();
/** The heads of topics as they were subscribed, by type. @type {Map<string, string>} */
const heads = new Map();

const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (document.getElementById(`ops-${name}`));

/** @param {string} name @param {string} text */
function write(name, text) {
  // screen readers announce a status again whenever it is set
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
  return row;
}

/** Buttons for those of an alert's actions that name a service. @param {HTMLTableRowElement} row @param {{ label: string, action: string }[]} actions */
function addActions(row, actions) {
  for (const { label, action } of actions) {
    const known = serviceAction(action);
    if (known) row.cells[3]?.append(' ', actionButton(label, known.service, known.action));
  }
}

/** @type {Record<string, (message: any) => void>} */
const SHOW = {
  connection_status({ data }) {
    write('state', `live · server ${data.server_version} · ${data.client_count} connections when this page came`);
    allowActions(data.features);
  },
  status_update(/** @type {{ data: Status }} */ { data }) {
    gauge('cpu', data.cpu_percent);
    gauge('memory', data.memory_percent);
    gauge('disk', data.disk_usage);
    write('uptime', spanText(data.uptime));
    write('services', String(data.active_services));
    write('network', data.network_status);
  },
  alert: ({ data, timestamp }) => addActions(list('alerts', timestamp, data.level, data.title, data.message), data.actions ?? []),
  service_event({ data, timestamp }) {
    showService(data);
    list('alerts', timestamp, data.status, `${data.service_name}: ${data.event_type}`, data.message);
  },
  webhook_event: ({ data, timestamp }) => void list('alerts', timestamp, data.status, `webhook ${data.event_type}`, data.message),
  posco_event: ({ data, timestamp }) => void list('alerts', timestamp, data.status, `deployment ${data.progress} %`, data.message),
  log_update(/** @type {{ data: { file_name?: string, entries?: Entry[] } }} */ { data }) {
    for (const { timestamp, level, logger_name, message } of data.entries ?? [])
      list('log', timestamp, level, logger_name || (data.file_name ?? ''), message);
  },
  pong: ({ data }) => write('latency', `${data.latency_ms} ms`),
};

function announce() {
  const client = { client_id: CLIENT_ID, client_type: 'web_dashboard', user_agent: navigator.userAgent, language: navigator.language };
  // it subscribes explicitly, because default subscriptions cannot resume from a position
  send('client_info', { data: { ...client, features: ['explicit'] } });
  const since = Object.fromEntries([...heads, ...positions]);
  send('subscribe', { data: { event_types: BROADCASTS }, ...(heads.size === 0 ? { last: BEFORE } : { since }) });
}

const ping = () => send('ping', { data: { client_time: new Date().toISOString() } });

/** @param {import('./page.js').Access} access */
export function startOperations(access) {
  setInterval(ping, PING_MS);
  listen({
    opened() {
      announce();
      ping();
    },
    received(message) {
      if (message.type === 'error') {
        write('state', message.data.error_message);
        showRefusal(message.data);
      }
      // the subscription starts here, until its first message
      const type = message.type === 'subscribed' ? message.topic.replace(/^ops:/, '') : '';
      if (BROADCASTS.includes(type)) heads.set(type, message.position);
      if (message.position && BROADCASTS.includes(message.type)) {
        // a message that was already shown
        const before = positions.get(message.type)?.split('-') ?? [];
        const [epoch, offset] = message.position.split('-');
        if (epoch === before[0] && Number(offset) <= Number(before[1])) return;
        positions.set(message.type, message.position);
      }
      if (message.ref) return void list('alerts', message.timestamp, '', `a large ${message.type}`, message.ref);
      SHOW[message.type]?.(message);
    },
    // browsers do not report why a handshake was refused: the request for the prices does
    closed: () => write('state', isRefused() ? access.hint : AWAY),
  });
}
