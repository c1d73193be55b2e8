using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Running;
using ProxyD.Benchmarks;

// Reports go where the build's other output goes, not into the root.
BenchmarkSwitcher.FromAssembly(typeof(FlowBenchmarks).Assembly)
    .Run(args, DefaultConfig.Instance.WithArtifactsPath("artifacts/benchmarks"));
