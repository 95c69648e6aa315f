/** A webhook's host: a TLS server on loopback that answers as it is told, under the name `hooks.test`. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';

/** For `hooks.test`, signed by itself, good for a hundred years. It protects nothing: tests only. */
export const HOOK_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBpTCCAUygAwIBAgIUL2QEh+uInBik64gaSNLnd50YtEcwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKaG9va3MudGVzdDAgFw0yNjExMjYyMTE0MTZaGA8yMTI2MTEw
MjIxMTQxNlowFTETMBEGA1UEAwwKaG9va3MudGVzdDBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABGT9nnUeA18St0V1VFL3oBlaacpPhitaCG4vZJPKvmHf3Ifb7SJF
TobhAEKz8ifm9TJaDItl7QW1Nay++O24jn6jeDB2MB0GA1UdDgQWBBQZ/yIIt81P
W6OigkcSqFWA0do7oTAfBgNVHSMEGDAWgBQZ/yIIt81PW6OigkcSqFWA0do7oTAP
BgNVHRMBAf8EBTADAQH/MCMGA1UdEQQcMBqCCmhvb2tzLnRlc3SCDCouaG9va3Mu
dGVzdDAKBggqhkjOPQQDAgNHADBEAiBf+F+SEakP5Ikdn0IZtnNOb+951sri1UcG
oKJDE3CSAQIgNCxwPvp4+TQrPIoIyb0n1ljBmFXnHT4sepIs03rj2Io=
-----END CERTIFICATE-----`;
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgt5ppDuOdiEb3cFTI
An0qF37jm8i22/q4dULkJGz8+/ihRANCAARk/Z51HgNfErdFdVRS96AZWmnKT4Yr
WghuL2STyr5h39yH2+0iRU6G4QBCs/In5vUyWgyLZe0FtTWsvvjtuI5+
-----END PRIVATE KEY-----`;

export interface Hook {
  /** The requests, in order. */
  readonly got: { readonly url: string; readonly host: string | undefined; readonly body: unknown }[];
  /** Opens a connection to it, whatever public address was meant. */
  connect(address: string): ReturnType<typeof connect>;
  /** The addresses that were meant. */
  readonly dialed: string[];
  stop(): Promise<void>;
}

export async function hookServer(answer: (response: ServerResponse, request: IncomingMessage) => void): Promise<Hook> {
  const got: Hook['got'] = [];
  const dialed: string[] = [];
  const server = createServer({ key: KEY, cert: HOOK_CERTIFICATE }, (request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      got.push({ url: request.url ?? '', host: request.headers.host, body: JSON.parse(Buffer.concat(pieces).toString() || 'null') });
      answer(response, request);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    got,
    dialed,
    connect(address) {
      dialed.push(address);
      return connect({ host: '127.0.0.1', port });
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
