#include "relay/desk/waiting_reason.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "mx/limits/decision.h"

namespace relay {

namespace {

// What a path that fails came to: whoever reads it looks at the network, or at the login.
std::string failure(const queue::Path& path) {
  const queue::PathError& error = path.health.last_error();
  const std::string text = error.reply.text();
  const std::string said = error.reply.code == 0 ? text : std::to_string(error.reply.code) + ' ' + text;
  if (error.stage == bounce::Stage::kLogin)
    return "login \"" + path.settings->peer.login + "\" " + login_failure(error.mx_host, error.reply);
  if (error.stage == bounce::Stage::kTls) return "no TLS: " + said;
  if (error.reply.code == 0) return "no connection: " + said;
  if (error.stage == bounce::Stage::kGreeting) return "refused at the greeting: " + said;
  if (error.stage == bounce::Stage::kEhlo) return "refused at EHLO: " + said;
  return "refused: " + said;
}

std::string on_hold(const std::string& reply) {
  return std::string("on hold until it is released") + (reply.empty() ? "" : " (last reply: " + reply + ')');
}

}  // namespace

bool blocked_by_order(const queue::Path& path, conf::Instant now) {
  return path.holds.ordered(now) && path.holds.ordered_until() >= path.counters.standing->blocked_until();
}

Reason held_back(const queue::Path& path, conf::Instant now) {
  if (path.blocked(now))
    return {blocked_by_order(path, now) ? "blocked by an operator" : "blocked after refusals",
            path.frees_at()};
  if (path.holds.paused(now)) return {path.holds.paused_by(), path.holds.paused_until()};
  if (path.health.backs_off(now)) {
    const bool told = path.health.last_error().present();
    return {told ? failure(path) : mx::to_text(mx::Bind::kBackOff), path.health.backs_off_until()};
  }
  return {};
}

std::string being_tried(const queue::Path& path, conf::Duration since) {
  std::string text = "a connection is being opened";
  if (since.count() > 0) text += " since " + mx::duration_text(since);
  if (!path.health.last_error().present()) return text;
  const bool silent = path.health.last_error().reply.code == 0 &&
                      path.health.last_error().stage != bounce::Stage::kTls &&
                      path.health.last_error().stage != bounce::Stage::kLogin;
  return text + "; the last one: " + (silent ? path.health.last_error().reply.text() : failure(path));
}

std::string no_reply(bounce::Stage stage) {
  switch (stage) {
    case bounce::Stage::kMail:
      return "no reply to MAIL";
    case bounce::Stage::kRcpt:
      return "no reply to RCPT";
    case bounce::Stage::kData:
      return "no reply to DATA";
    case bounce::Stage::kDot:
      return "no reply to the message";
    default:
      return "no reply";
  }
}

Reason tried_again(const queue::Path& path, const Logins& logins, conf::Instant now) {
  if (path.blocked(now) || path.holds.paused(now)) return {};
  const conf::Instant login = logins.until(path);
  if (login > std::max(path.health.backs_off_until(), now)) return {logins.why(path), login};
  return held_back(path, now);
}

Reason waiting_reason(queue::Path* path, Dispatcher* dispatcher, conf::Instant now) {
  Reason held = held_back(*path, now);
  if (dispatcher != nullptr && path->connections.idle().empty())
    if (Reason fails = tried_again(*path, dispatcher->logins(), now); !fails.text.empty())
      held = std::move(fails);
  if (!held.text.empty() || path->ready.empty()) return held;
  if (path->is_being_tried(now)) return {being_tried(*path, {})};
  if (const queue::Silence* silence = path->connections.silence())
    return {no_reply(silence->stage), conf::kNever, true};
  const auto bound = [&](mx::Bind bind, conf::Instant until) {
    if (bind == mx::Bind::kLease && dispatcher != nullptr && dispatcher->awaits_rules(*path))
      return Reason{kAwaitsRules};
    return Reason{mx::to_text(bind), until > now ? until : conf::kNever};
  };
  // Of the paths that are counted together only the one that was asked last knows what binds them all.
  if (dispatcher != nullptr && (!path->waits.any() || path->shared.line != nullptr)) {
    const mx::Admission next = dispatcher->next_message(path);
    if (!next.yes) return bound(next.bind, next.not_before);
  }
  if (!path->waits.any()) return {};
  return bound(path->waits.bind(), path->waits.until());
}

Reason later_of(Reason schedule, const Reason& hold) {
  if (hold.text.empty() || hold.until <= schedule.until) return schedule;
  return {schedule.text.empty() ? hold.text : hold.text + " (" + schedule.text + ')', hold.until};
}

Reason held_stream(const queue::StreamTable& streams, uint16_t stream, conf::Instant now) {
  const conf::Instant until = streams.held_until(stream);
  if (until <= now) return {};
  return {"blocked by an operator, as all mail of stream " + streams.name(stream), until};
}

Reason waiting_reason(const queue::Delivery& delivery, const queue::LastReplies& replies,
                      const queue::StreamTable& streams, Dispatcher* dispatcher, conf::Instant now) {
  switch (delivery.state) {
    case queue::DeliveryState::kScheduled: {
      const std::string& reply = replies.text(delivery.last_reply);
      return {reply.empty() ? "its next attempt is not due yet" : "deferred: " + reply, delivery.due};
    }
    case queue::DeliveryState::kHeld:
      return {on_hold(replies.text(delivery.last_reply))};
    case queue::DeliveryState::kPaused: {
      Reason reason = held_stream(streams, delivery.stream, now);
      if (reason.text.empty()) reason.text = "waits for its turn";  // the order is over
      return reason;
    }
    case queue::DeliveryState::kNew:
    case queue::DeliveryState::kRouting:
      return {"waits for an answer of DNS"};
    case queue::DeliveryState::kReady: {
      if (delivery.path == nullptr) return {};
      Reason reason = waiting_reason(delivery.path, dispatcher, now);
      if (reason.of_other_mail) reason.text = "behind other mail: " + reason.text;
      if (reason.text.empty()) reason.text = "waits for its turn";
      return reason;
    }
    case queue::DeliveryState::kSending: {
      const conf::Stage stage = dispatcher == nullptr ? conf::Stage::kNone : dispatcher->silent_to(delivery);
      return stage == conf::Stage::kNone ? Reason() : Reason{no_reply(stage)};
    }
    case queue::DeliveryState::kLoading:
    case queue::DeliveryState::kSettling:
      break;
  }
  return {};
}

admin::WaitingState waiting_state(queue::DeliveryState state) {
  switch (state) {
    case queue::DeliveryState::kScheduled:
      return admin::WaitingState::kScheduled;
    case queue::DeliveryState::kNew:
    case queue::DeliveryState::kRouting:
      return admin::WaitingState::kRouting;
    case queue::DeliveryState::kReady:
      return admin::WaitingState::kReady;
    case queue::DeliveryState::kHeld:
    case queue::DeliveryState::kPaused:
      return admin::WaitingState::kHeld;
    case queue::DeliveryState::kLoading:
    case queue::DeliveryState::kSending:
    case queue::DeliveryState::kSettling:
      break;
  }
  return admin::WaitingState::kInFlight;
}

std::string in_words(const Reason& reason, conf::Instant now) {
  if (reason.text.empty() || reason.until == conf::kNever || reason.until <= now) return reason.text;
  return reason.text + ", for another " +
         mx::duration_text(reason.until - now + std::chrono::milliseconds(999));
}

}  // namespace relay
