// How long a path is left alone after connections that failed or broke, and how long its mail waits until
// that is told. The one writer of PathHealth. Loop thread.
#pragma once

#include "conf/vocab/random.h"
#include "conf/vocab/time.h"
#include "relay/flow/flow_state.h"
#include "relay/flow/path.h"

namespace relay {

class BackOff {
 public:
  BackOff(const FlowState* flow, conf::Random* random) : flow_(flow), random_(random) {}  // borrowed

  // A connection is ready: the path leads somewhere.
  void worked(queue::Path* path) { path->health.works(); }
  // Mail was answered over it.
  void answered(queue::Path* path) { path->health.answers(); }
  // One host of several failed, `error` says why; the connection, begun at `started`, tries the next. True:
  // that is to be looked at now.
  bool stumbled(queue::Path* path, const queue::PathError& error, conf::Instant started);
  // A connection begun at `started` came to no host. Those that were begun before the last failure are part
  // of it; while other connections work only the next opening waits.
  void failed(queue::Path* path, const queue::PathError& error, conf::Instant started, conf::Instant now);
  // It broke before its message was answered. Others of the path may go on; after a second one in a row the
  // path is tried by one connection at a time.
  void broke(queue::Path* path, const queue::PathError& error, conf::Instant started, conf::Instant now);
  // A message was refused by a host that takes none for now (sick_host.h). True: it is the third in a row or
  // more, one message would not make so many; the path is left alone as if the connection had broken, which
  // should end, for nothing else is answered over it.
  bool refused(queue::Path* path, const queue::PathError& error, conf::Instant started, conf::Instant now);
  // None of the path's hosts has an address for its source.
  void no_address(queue::Path* path, conf::Instant now);
  // A block defers, and how the path failed before it is over with it.
  void forget(queue::Path* path) { path->health.forget_failures(); }
  void end_now(queue::Path* path) { path->health.try_now(flow_->now()); }

  // How long mail waits for its path before that is told. The first round over the hosts may still come to a
  // good end.
  conf::Duration patience(const queue::Path& path) const;

 private:
  void back_off(queue::Path* path, conf::Instant now);
  conf::Duration spread(conf::Duration pause) const;

  const FlowState* flow_;
  conf::Random* random_;
};

}  // namespace relay
