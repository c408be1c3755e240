// Everybody who may come in: invite, invite again, let go.

import { useState } from 'preact/hooks';
import { post, remove, serverNow, session } from '../api';
import { isKey, t } from '../i18n';
import { Icon } from '../parts/icon';
import { Failure, failureText, Loading } from '../parts/notice';
import { when } from '../parts/row';
import { usePoll } from '../poll';
import type { Camera, Invitation, People, Person } from '../types';
import { DeviceList } from './devices';
import { InvitationCard } from './invitation-card';
import { NewPersonForm } from './new-person';

const EVERY_MS = 5000;

export function Everybody({ cameras, zone }: { cameras: Camera[]; zone: string }) {
  const { data, error, again } = usePoll<People>('people', EVERY_MS);
  const [made, setMade] = useState<Invitation | null>(null);
  const shown = (invitation: Invitation | null) => {
    setMade(invitation);
    again();
  };
  return (
    <>
      <h2>{t('people.title')}</h2>
      {made && <InvitationCard made={made} zone={zone} close={() => shown(null)} />}
      {!made && <NewPersonForm cameras={cameras} made={shown} />}
      {!data && (error ? <Failure error={error} again={again} /> : <Loading />)}
      <div class="cards">
        {data?.people.map((person) => <PersonCard key={person.id} person={person} cameras={cameras} zone={zone} made={shown} again={again} />)}
      </div>
    </>
  );
}

interface PersonProps {
  person: Person;
  cameras: Camera[];
  zone: string;
  made: (invitation: Invitation) => void;
  again: () => void;
}

type Step = 'lost' | 'retire';

function PersonCard({ person, cameras, zone, made, again }: PersonProps) {
  const [asked, setAsked] = useState<Step | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const run = async (work: () => Promise<void>) => {
    setFailed(null);
    setAsked(null);
    try {
      await work();
    } catch (failure) {
      setFailed(failureText(failure));
    }
    again();
  };
  const invite = (lost: boolean) => run(async () => made(await post<Invitation>(`people/${person.id}/invitation`, { lost })));
  const roleKey = `role.${person.role}`;
  const places = person.cameras?.map((id) => cameras.find((c) => c.id === id)?.name ?? id).join(', ');
  const me = person.name === session.value?.name;
  return (
    <div class="card" data-person={person.id}>
      <h3>{person.name}</h3>
      <p>{isKey(roleKey) ? t(roleKey) : person.role} · {places ?? t('people.all_places')}</p>
      {person.invited !== null && <p class="hint">{t('people.invited_until', { time: when(person.invited, zone, serverNow()) })}</p>}
      <DeviceList devices={person.devices} zone={zone} again={again} />
      {failed && <p class="message bad" role="alert"><Icon name="warn" />{failed}</p>}
      {asked === null ? (
        <div class="actions">
          <button type="button" class="button" onClick={() => void invite(false)}>{t('people.invite_again')}</button>
          {person.devices.length > 0 && !me && <button type="button" class="button" onClick={() => setAsked('lost')}>{t('people.lost')}</button>}
          {!me && <button type="button" class="button" onClick={() => setAsked('retire')}>{t('people.retire')}</button>}
        </div>
      ) : (
        <div class="actions" role="group">
          <p class="message" role="alert"><Icon name="warn" />{t(asked === 'lost' ? 'people.lost_sure' : 'people.retire_sure', { name: person.name })}</p>
          <button type="button" class="button" data-sure onClick={() => void (asked === 'lost' ? invite(true) : run(() => remove(`people/${person.id}`)))}>{t(asked === 'lost' ? 'people.lost' : 'people.retire')}</button>
          <button type="button" class="button primary" onClick={() => setAsked(null)}>{t('act.keep_it')}</button>
        </div>
      )}
    </div>
  );
}
