using Graphene.Hosting;
using Graphene.Tests.Runtime;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NUnit.Framework;

namespace Graphene.Tests.Hosting;

/// <summary>A host with a model whose file lies in a folder of the test.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private TestHost(IHost host, RecordingLogger log)
    {
        Host = host;
        Log = log;
    }

    public IHost Host { get; }

    public RecordingLogger Log { get; }

    public IGrapheneModel<ScaleModel> Model => Host.Services.GetRequiredService<IGrapheneModel<ScaleModel>>();

    /// <summary>What the model says with the version of now.</summary>
    public float Scale => Model.Run(static m => m.Scale());

    /// <summary>Puts a host together without starting it.</summary>
    public static TestHost Build(Action<IServiceCollection> configure)
    {
        var log = new RecordingLogger();
        HostApplicationBuilder builder =
            Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddMetrics();
        builder.Services.AddLogging(l => l.SetMinimumLevel(LogLevel.Debug).AddProvider(new Provider(log)));
        configure(builder.Services);
        return new TestHost(builder.Build(), log);
    }

    /// <summary>A host with a model that is reloaded quickly.</summary>
    public static TestHost Reloading(string path, Action<GrapheneModelOptions>? configure = null) => Build(s =>
    {
        s.AddGrapheneModel<ScaleModel>().FromFile(path, reload: true).Configure(o =>
        {
            o.QuietTime = TimeSpan.FromMilliseconds(30);
            o.PollInterval = TimeSpan.FromMilliseconds(100);
            configure?.Invoke(o);
        });
        s.AddHealthChecks().AddGrapheneModel<ScaleModel>();
    });

    public async Task<TestHost> StartAsync()
    {
        await Host.StartAsync().ConfigureAwait(false);
        return this;
    }

    public Task<HealthReport> HealthAsync() => Host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();

    /// <summary>Waits until something is so.</summary>
    public static async Task Until(Func<bool> isSo, string what)
    {
        DateTime end = DateTime.UtcNow + Patience;
        while (!isSo())
        {
            Assert.That(DateTime.UtcNow, Is.LessThan(end), $"waited in vain: {what}");
            await Task.Delay(10).ConfigureAwait(false);
        }
    }

    public Task UntilScale(float scale) => Until(() => Scale == scale, $"the model that multiplies by {scale}");

    public async ValueTask DisposeAsync()
    {
        await Host.StopAsync().ConfigureAwait(false);
        Host.Dispose();
    }

    /// <summary>A host that is not expected to start.</summary>
    public sealed class Unstarted(Action<IServiceCollection> configure) : IDisposable
    {
        private readonly TestHost _host = Build(configure);

        public RecordingLogger Log => _host.Log;

        public IGrapheneModel<ScaleModel> Model => _host.Model;

        public Task StartAsync() => _host.Host.StartAsync();

        public void Dispose() => _host.Host.Dispose();
    }

    private sealed class Provider(RecordingLogger log) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => log;

        public void Dispose()
        {
        }
    }
}
