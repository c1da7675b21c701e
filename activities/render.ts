export { type Rendered, renderContent } from '../db/rendering';
