// Switches between the two languages; its label is written in the other one.

import { setLang, t, useLang } from '../i18n';

export function LangButton() {
  const lang = useLang();
  const other = lang === 'vi' ? 'en' : 'vi';
  return (
    <button type="button" class="button plain lang" lang={other} title={t('lang.switch')} onClick={() => setLang(other)}>
      {t('lang.other')}
    </button>
  );
}
