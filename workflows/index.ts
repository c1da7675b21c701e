export { callSweep } from './call-sweep';
export { mentorCall } from './mentor-call';
