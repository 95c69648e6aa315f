import { connect, createServer, type Socket } from 'node:net';
import { listen } from '../../local/base/listen.ts';

export interface SlowLink {
  /** The host behind it, by the slow way. */
  readonly url: string;
  /** Ends every connection, as a network that goes. */
  cut(): void;
  /** Lets nothing through, and ends nothing: connections are made, and stay silent. What was sent meanwhile comes afterwards. */
  silence(isSilent: boolean): void;
  stop(): Promise<void>;
}

/** A proxy in front of a host that holds what it gets back for `delayMs`, in each direction. Order is kept. */
export async function slowLink(hostUrl: string, delayMs: number): Promise<SlowLink> {
  const { hostname, port, protocol } = new URL(hostUrl);
  const open = new Set<Socket>();
  let silent = false;
  const pipe = (from: Socket, to: Socket): void => {
    open.add(from);
    if (silent) from.pause();
    from.on('data', (chunk: Buffer) => setTimeout(() => to.writable && to.write(chunk), delayMs));
    from.on('end', () => setTimeout(() => to.end(), delayMs));
    from.on('error', () => to.destroy());
    from.on('close', () => open.delete(from));
  };
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host: hostname, port: Number(port || (protocol === 'https:' ? 443 : 80)), allowHalfOpen: true });
    pipe(near, far);
    pipe(far, near);
  });
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  const own = await listen(server, 0, '127.0.0.1');
  return {
    url: `${protocol}//127.0.0.1:${own}`,
    cut,
    silence(isSilent) {
      silent = isSilent;
      for (const socket of open) isSilent ? socket.pause() : socket.resume();
    },
    async stop() {
      cut();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}
