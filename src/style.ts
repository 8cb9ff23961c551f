/** How everything of ours looks; loaded with the first thing that shows. */
import '../style/controls.css';
import '../style/panel.css';
import '../style/row.css';
import '../style/send.css';
import '../style/deploy.css';
import '../style/findings.css';
import '../style/environments.css';
import '../style/profile.css';
import '../style/profile-review.css';
import '../style/profile-waiting.css';

export {};
