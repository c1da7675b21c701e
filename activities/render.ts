export { type Rendered, type RenderedForm, type RenderParts, renderContent } from '../db/rendering';
