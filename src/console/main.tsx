import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiProblem } from './api/problem.ts';
import { App } from './app.tsx';
import { applyTheme, storedTheme } from './parts/theme.ts';
import './styles/base.css';
import './styles/layout.css';
import './styles/parts.css';
import './styles/pages.css';

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // What is wrong with the request stays wrong; a box that starts again answers soon.
      retry: (count, error) => count < 3 && (!(error instanceof ApiProblem) || error.status === 0),
      retryDelay: 500,
      refetchOnWindowFocus: true,
      staleTime: 2000,
    },
  },
});

applyTheme(storedTheme());
const root = document.getElementById('root');
if (root !== null)
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <App />
      </QueryClientProvider>
    </StrictMode>,
  );
