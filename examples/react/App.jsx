import { createClient } from 'realtime-push-client';
import { Provider, useLatest, useLog, useStatus } from 'realtime-push-client/react';

const client = createClient({ url: new URLSearchParams(location.search).get('url') ?? 'http://localhost:8000' });

function Price({ ticker }) {
  const quote = useLatest(`price:${ticker}`);
  return (
    <tr>
      <td>{ticker}</td>
      <td>{quote ? quote.data.price.toLocaleString() : '–'}</td>
    </tr>
  );
}

function Alerts() {
  const alerts = useLog('ops:alert', { last: 5, keep: 5 });
  return (
    <ul>
      {alerts.map(({ broadcast_id, data }) => (
        <li key={broadcast_id}>
          {data.level}: {data.title}
        </li>
      ))}
    </ul>
  );
}

const Status = () => <p>{useStatus()}</p>;

export const App = () => (
  <Provider client={client}>
    <Status />
    <table>
      <tbody>
        {['005930', '000660', '035420'].map((ticker) => (
          <Price key={ticker} ticker={ticker} />
        ))}
      </tbody>
    </table>
    <Alerts />
  </Provider>
);
