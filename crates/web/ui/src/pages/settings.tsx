// Cài đặt: how much data pictures may use, the TVs of the village, one's own devices; and for whoever administrates, everybody.

import { t } from '../i18n';
import { DeviceList } from '../people/devices';
import { Everybody } from '../people/everybody';
import { TvCards } from '../people/tvs';
import { Failure, Loading } from '../parts/notice';
import { SaverCard } from '../parts/saver';
import { usePoll } from '../poll';
import { mayInvite, mayPairTvs } from '../roles';
import type { Cameras, Devices } from '../types';

const EVERY_MS = 15_000;

export function SettingsPage() {
  const cameras = usePoll<Cameras>('cameras', EVERY_MS);
  const mine = usePoll<Devices>('devices', EVERY_MS);
  if (!cameras.data) return cameras.error ? <Failure error={cameras.error} again={cameras.again} /> : <Loading />;
  const zone = cameras.data.site.timezone;
  return (
    <section class="settings">
      <div class="bar"><h1>{t('nav.settings')}</h1></div>
      {mayInvite() && <Everybody cameras={cameras.data.cameras} zone={zone} />}
      <SaverCard />
      {mayPairTvs() && <TvCards zone={zone} />}
      <h2>{t('people.mine')}</h2>
      <div class="card">
        {mine.data ? <DeviceList devices={mine.data.devices} zone={zone} again={mine.again} /> : mine.error ? <Failure error={mine.error} again={mine.again} /> : <Loading />}
      </div>
    </section>
  );
}
