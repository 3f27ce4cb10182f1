#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "server/http/resources.h"

namespace server::http {
namespace {

prometheus::MetricFamily Family(std::string name, std::string help, double value) {
  prometheus::ClientMetric metric;
  metric.gauge.value = value;
  prometheus::MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = prometheus::MetricType::Gauge;
  family.metric.push_back(std::move(metric));
  return family;
}

}  // namespace

asio::awaitable<void> Metrics(Call& call, Services& services) {
  auto stats = [&] { return services.store.engine().Stats(); };
  const auto engine = co_await services.storage.Run(stats);
  std::vector<prometheus::MetricFamily> families;
  for (const auto& gauge : services.gauges) families.push_back(Family(gauge.name, gauge.help, gauge.read()));
  for (const auto& statistic : engine)
    families.push_back(Family("cmsd_engine_" + statistic.name, "Of the store's engine",
                              static_cast<double>(statistic.value)));
  co_await call.ReplyText("text/plain; version=0.0.4", prometheus::TextSerializer().Serialize(families));
}

}  // namespace server::http
