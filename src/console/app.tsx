import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, type ReactElement, Suspense, useEffect } from 'react';
import { Route, Switch } from 'wouter';
import { call, whenLoggedOut } from './api/client.ts';
import { ApiProblem } from './api/problem.ts';
import { LiveProvider } from './live/live-provider.tsx';
import { Login } from './pages/login.tsx';
import { Frame } from './parts/frame.tsx';
import { SessionProvider } from './parts/session.ts';
import { Empty, Failure, Loading } from './parts/states.tsx';

const LivePage = lazy(() => import('./pages/live.tsx'));
const CameraPage = lazy(() => import('./pages/camera.tsx'));
const EventsPage = lazy(() => import('./pages/events.tsx'));
const AlertsPage = lazy(() => import('./pages/alerts.tsx'));
const PeoplePage = lazy(() => import('./pages/people.tsx'));
const RulesPage = lazy(() => import('./pages/rules.tsx'));
const ZonesPage = lazy(() => import('./pages/zones.tsx'));
const SystemPage = lazy(() => import('./pages/system.tsx'));

/** Who is logged in sees the console; everybody else how to log in. */
export function App(): ReactElement {
  const queries = useQueryClient();
  const profile = useQuery({ queryKey: ['profile'], queryFn: () => call('GET /api/profile') });
  useEffect(() => {
    whenLoggedOut(() => {
      queries.setQueryData(['profile'], undefined);
      void queries.invalidateQueries({ queryKey: ['profile'] });
    });
  }, [queries]);
  const { error, data, refetch } = profile;
  if (error instanceof ApiProblem && error.status === 401)
    return <Login onDone={() => void queries.resetQueries()} />;
  if (data === undefined)
    return (
      <main className="alone">
        {error === null ? <Loading /> : <Failure error={error} onRetry={() => void refetch()} />}
      </main>
    );
  return (
    <SessionProvider value={data}>
      <LiveProvider>
        <Frame>
          <Suspense fallback={<Loading rows={6} />}>
            <Pages />
          </Suspense>
        </Frame>
      </LiveProvider>
    </SessionProvider>
  );
}

function Pages(): ReactElement {
  return (
    <Switch>
      <Route path="/" component={LivePage} />
      <Route path="/live/:camera">
        {({ camera }) => <CameraPage key={camera} id={decodeURIComponent(camera)} />}
      </Route>
      <Route path="/events" component={EventsPage} />
      <Route path="/events/:id" component={EventsPage} />
      <Route path="/alerts" component={AlertsPage} />
      <Route path="/people" component={PeoplePage} />
      <Route path="/zones" component={ZonesPage} />
      <Route path="/rules" component={RulesPage} />
      <Route path="/system" component={SystemPage} />
      <Route>
        <Empty title="There is no such page">Choose one from the menu.</Empty>
      </Route>
    </Switch>
  );
}
