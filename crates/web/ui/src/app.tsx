// The house around the pages: who is signed in, which page, the navigation, the word when the box is out of reach.

import { useEffect, useRef, useState } from 'preact/hooks';
import { loadSession, reachable, session, signOut } from './api';
import { todo, useInbox } from './cases/inbox';
import { isKey, num, offerLang, t, useLang } from './i18n';
import { Icon, type IconName } from './parts/icon';
import { LangButton } from './parts/lang-button';
import { Link } from './parts/link';
import { Empty, Loading } from './parts/notice';
import { CameraPage } from './pages/camera';
import { CasePage } from './pages/case';
import { CasesPage } from './pages/cases';
import { DevicesPage } from './pages/devices';
import { JoinPage } from './pages/join';
import { LivePage } from './pages/live';
import { LoginPage } from './pages/login';
import { OneCasePage } from './pages/one-case';
import { PlaybackPage } from './pages/playback';
import { SearchPage } from './pages/search';
import { SettingsPage } from './pages/settings';
import { followTaps, leave, renew } from './push/phone';
import { may, type Page } from './roles';
import { paths, useRoute, type Route } from './router';
import { useSignal } from './signal';

const PAGES: readonly { page: Page; path: string; icon: IconName }[] = [
  { page: 'live', path: paths.live, icon: 'live' },
  { page: 'cases', path: paths.cases(), icon: 'cases' },
  { page: 'playback', path: paths.playback(), icon: 'playback' },
  { page: 'search', path: paths.search, icon: 'find' },
  { page: 'devices', path: paths.devices, icon: 'devices' },
];

const RETRY_MS = 3000;

export function App() {
  const lang = useLang();
  const who = useSignal(session);
  const route = useRoute();
  const [asked, setAsked] = useState(0);

  useEffect(() => {
    // A link to one case asks by itself: whether anybody is signed in here does not matter.
    if (who !== undefined || route.page === 'one') return;
    let timer = 0;
    loadSession().catch(() => {
      timer = window.setTimeout(() => setAsked((n) => n + 1), RETRY_MS);
    });
    return () => window.clearTimeout(timer);
  }, [who, asked, route.page]);
  const waiting = useSignal(todo);
  useEffect(() => {
    if (who) offerLang(who.site.language);
    const title = who ? `${who.site.name} – ${t('app.name')}` : t('app.name');
    document.title = waiting ? `(${waiting}) ${title}` : title;
  }, [who, lang, waiting]);

  return (
    <>
      <Unreachable />
      {/* Whoever is signed in may pass the phone on: an invitation is opened as whomever it is for. */}
      {route.page === 'join' ? <JoinPage /> : route.page === 'one' ? <OneCasePage /> : who === undefined ? <main id="main" class="login"><Loading /></main> : who === null ? <LoginPage /> : <House name={who.name} role={who.role} site={who.site.name} />}
    </>
  );
}

function Unreachable() {
  const ok = useSignal(reachable);
  useLang();
  return ok ? null : <p class="banner" role="alert"><Icon name="warn" />{t('err.network')}</p>;
}

function House({ name, role, site }: { name: string; role: string; site: string }) {
  const route = useRoute();
  const current: Page | null = route.page === 'camera' ? 'live' : route.page === 'case' ? 'cases' : route.page === 'missing' || route.page === 'settings' || route.page === 'join' || route.page === 'one' ? null : route.page;
  useInbox(may('cases'));
  const lang = useLang();
  // Whoever chose something of the menu has done with it.
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    if (menu.current) menu.current.open = false;
  }, [route]);
  useEffect(followTaps, []);
  useEffect(() => {
    if (may('cases')) void renew(lang).catch(() => undefined);
  }, [lang]);
  const roleKey = `role.${role}`;
  return (
    <div class="house">
      <a href="#main" class="skip">{t('app.skip')}</a>
      <header class="top">
        <img src="/icon.svg" alt="" width="36" height="36" />
        <p class="site">{site}</p>
        <span class="wide-only"><LangButton /></span>
        <details class="account" ref={menu}>
          <summary aria-label={t('account.menu')}>{name}</summary>
          <div class="menu card">
            <p><strong>{name}</strong><br />{isKey(roleKey) ? t(roleKey) : role}</p>
            <span class="narrow-only"><LangButton /></span>
            <Link to={paths.settings} class="button wide"><Icon name="gear" />{t('nav.settings')}</Link>
            <button type="button" class="button wide" onClick={() => void leave().then(signOut).catch(() => undefined)}><Icon name="out" />{t('login.out')}</button>
          </div>
        </details>
      </header>
      <nav class="tabs" aria-label={t('nav.label')}>
        {PAGES.filter(({ page }) => may(page)).map(({ page, path, icon }) => (
          <Link key={page} to={path} current={page === current}><Icon name={icon} /><span>{t(`nav.${page}` as const)}</span>{page === 'cases' && <Waiting />}</Link>
        ))}
      </nav>
      <main id="main" tabIndex={-1}><View route={route} /></main>
    </div>
  );
}

/** How many cases wait, on the tab that leads to them. */
function Waiting() {
  const n = useSignal(todo);
  if (!n) return null;
  return <span class="badge" data-todo={n}><span aria-hidden="true">{n > 99 ? '99+' : num(n)}</span><span class="unseen">{t('inbox.todo', { n: num(n) })}</span></span>;
}

function View({ route }: { route: Route }) {
  switch (route.page) {
    case 'live':
      return may('live') ? <LivePage /> : <Refused />;
    case 'camera':
      return may('live') ? <CameraPage id={route.camera} /> : <Refused />;
    case 'playback':
      return may('playback') ? <PlaybackPage id={route.camera} at={route.at} /> : <Refused />;
    case 'cases':
      return may('cases') ? <CasesPage key={String(route.all)} all={route.all} /> : <Refused />;
    case 'case':
      return may('cases') ? <CasePage key={route.id} id={route.id} /> : <Refused />;
    case 'search':
      return may('search') ? <SearchPage /> : <Refused />;
    case 'devices':
      return may('devices') ? <DevicesPage /> : <Refused />;
    case 'settings':
      return <SettingsPage />;
    case 'join':
    case 'one':
    case 'missing':
      return <Empty icon="off" title={t('err.missing')}><Link to={paths.live} class="button">{t('nav.live')}</Link></Empty>;
  }
}

function Refused() {
  return <Empty icon="off" title={t('err.forbidden')} />;
}
