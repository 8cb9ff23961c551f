import { LabIcon } from '@jupyterlab/ui-components';

import ediSvg from '../style/icons/edi.svg';
import sendSvg from '../style/icons/send.svg';

/** A kernel in its box: the sign of this extension. */
export const ediIcon = new LabIcon({ name: 'edi_labext:edi', svgstr: ediSvg });

/** Sending a request. */
export const sendIcon = new LabIcon({
  name: 'edi_labext:send',
  svgstr: sendSvg
});
