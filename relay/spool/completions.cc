#include "relay/spool/completions.h"

#include <iterator>
#include <utility>

namespace relay::spool {

void Completions::on_ready(std::function<void()> wake) {
  std::function<void()> call;
  {
    const std::lock_guard lock(mutex_);
    wake_ = std::move(wake);
    if (!ready_.empty()) call = wake_;
  }
  if (call) call();
}

void Completions::push(std::vector<Completion> ready) {
  if (ready.empty()) return;
  std::function<void()> call;
  {
    const std::lock_guard lock(mutex_);
    if (ready_.empty()) {
      ready_ = std::move(ready);
      call = wake_;
    } else {
      ready_.insert(ready_.end(), std::make_move_iterator(ready.begin()),
                    std::make_move_iterator(ready.end()));
    }
  }
  if (call) call();
}

void Completions::push(Completion ready) {
  std::vector<Completion> one;
  one.push_back(std::move(ready));
  push(std::move(one));
}

size_t Completions::drain() {
  std::vector<Completion> ready;
  {
    const std::lock_guard lock(mutex_);
    ready.swap(ready_);
  }
  for (const Completion& completion : ready) completion();
  return ready.size();
}

void Completions::clear() {
  std::vector<Completion> dropped;
  const std::lock_guard lock(mutex_);
  dropped.swap(ready_);
}

}  // namespace relay::spool
