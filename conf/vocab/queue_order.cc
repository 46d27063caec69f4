#include "conf/vocab/queue_order.h"

namespace conf {

const char* to_text(QueueAction action) {
  static constexpr const char* kTexts[kQueueActions] = {"retry", "hold", "release", "drop", "fail"};
  return kTexts[static_cast<size_t>(action)];
}

}  // namespace conf
