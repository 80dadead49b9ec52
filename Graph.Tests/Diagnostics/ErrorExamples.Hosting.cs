using Graphene.Hosting;
using Graphene.Runtime;
using Graphene.Tests.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Graphene.Tests.Diagnostics;

internal static partial class ErrorExamples
{
    private static IEnumerable<ErrorExample> Hosting() =>
    [
        Of(HostingDiagnostics.BadOptions, () =>
        {
            var options = new GrapheneModelOptions { Path = "digits.graphene", PollInterval = TimeSpan.Zero };
            options.Validate("digits");
        }),
        Of(HostingDiagnostics.NotLoaded, () =>
        {
            HostApplicationBuilder builder = Host.CreateApplicationBuilder();
            builder.Services.AddGrapheneModel().FromFile("digits.graphene");
            using IHost host = builder.Build();
            host.Services.GetRequiredService<IGrapheneModel<CompiledGraph>>().Acquire();
        }),
        Of(HostingDiagnostics.FileNotReadable, () =>
        {
            HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
            builder.Services.AddGrapheneModel().FromFile("no-such-model.graphene");
            using IHost host = builder.Build();
            host.StartAsync().GetAwaiter().GetResult();
        }),
        Of(HostingDiagnostics.WarmUpFailed, () =>
        {
            File.WriteAllBytes("positive.graphene", ScaleModel.PositiveBundle());
            HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
            builder.Services.AddGrapheneModel().FromFile("positive.graphene");
            using IHost host = builder.Build();
            host.StartAsync().GetAwaiter().GetResult();
        }),
        Of(HostingDiagnostics.NameTaken, () =>
        {
            var services = new ServiceCollection();
            services.AddGrapheneModel<ScaleModel>("digits");
            services.AddGrapheneModel("digits").FromFile("digits.graphene");
        }),
    ];
}
