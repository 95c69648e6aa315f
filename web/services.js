// @ts-check
/** The services that have announced themselves, and buttons that control them. */
import { send } from './socket.js';

/** @typedef {{ service_id: string, service_name: string, event_type: string, status: string, message: string, details?: { pid?: number, port?: number } }} Service */
/** @typedef {'start' | 'stop' | 'restart'} Action */

/** @type {readonly Action[]} */
const ACTIONS = ['start', 'stop', 'restart'];
const RUNS = 'running';

/** Rows by service. @type {Map<string, HTMLTableRowElement>} */
const rows = new Map();
let mayAct = false;

const body = () => /** @type {HTMLTableSectionElement} */ (document.getElementById('ops-service-list'));

/** A button for a service; it waits until the service answers. @param {string} label @param {string} service @param {Action} action */
export function actionButton(label, service, action) {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = label;
  button.dataset['service'] = service;
  button.dataset['action'] = action;
  button.disabled = !mayAct;
  button.onclick = () => {
    write(service, 1, `${action} …`);
    send('service_control', { data: { service_id: service, action, options: { force: false, timeout: 30 } } });
  };
  return button;
}

/** Lets this page control services, or not, as its `connection_status` says. @param {string[]} features */
export function allowActions(features) {
  mayAct = features.includes('service_control');
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll('button[data-service]')))
    button.disabled = !mayAct;
}

/** @param {Service} service */
export function showService({ service_id: id, service_name: name, status, message, details }) {
  if (!rows.has(id)) addRow(id);
  write(id, 0, name || id);
  write(id, 1, status);
  write(id, 2, details?.pid === undefined ? '–' : String(details.pid));
  write(id, 3, message);
  const row = rows.get(id);
  if (row) row.className = status === RUNS ? '' : 'level-warning';
}

/** An error that answers a command. @param {{ error_message: string, details?: { service_id?: string } }} error */
export function showRefusal({ error_message, details }) {
  if (details?.service_id !== undefined) write(details.service_id, 1, error_message);
}

/** @param {string} id */
function addRow(id) {
  const row = body().insertRow();
  for (let cells = 0; cells < 4; cells++) row.insertCell();
  row.insertCell().append(...ACTIONS.map((action) => actionButton(action, id, action)));
  rows.set(id, row);
  const empty = document.getElementById('ops-no-services');
  if (empty) empty.hidden = true;
}

/** @param {string} id @param {number} cell @param {string} text */
function write(id, cell, text) {
  const there = rows.get(id)?.cells[cell];
  if (there) there.textContent = text;
}

/** The service action that an alert's action names, such as `restart:posco_news`; `null` = it is another one. @param {string} action */
export function serviceAction(action) {
  const [verb = '', ...rest] = action.split(':');
  const known = ACTIONS.find((one) => one === verb);
  return known && rest.length > 0 ? { action: known, service: rest.join(':') } : null;
}
