using Graphene.Samples.Digits;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Graphene.Samples.DigitsService;

/// <summary>A web service that reads digits which were drawn, with a page to draw on.</summary>
public static class DigitsApp
{
    private const string ReadyTag = "ready";

    /// <summary>Puts the service together.</summary>
    /// <param name="args">Settings, as <c>--urls http://127.0.0.1:8080</c>.</param>
    /// <param name="configure">Changes what is registered, for tests.</param>
    public static WebApplication Create(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(args);
        builder.WebHost.ConfigureKestrel(k =>
        {
            k.AddServerHeader = false;
            k.Limits.MaxRequestBodySize = PngDecoder.MaxBytes;
        });
        builder.Services.AddGrapheneModel<DigitsModel>()
            .Configure(o => o.Reload = true)
            .FromConfiguration(builder.Configuration.GetSection("Models:Digits"));
        builder.Services.AddHealthChecks().AddGrapheneModel<DigitsModel>(tags: ReadyTag);
        builder.Services.AddSingleton<MetricsPage>();
        builder.Services.AddProblemDetails();
        builder.Services.ConfigureHttpJsonOptions(o => o.SerializerOptions.TypeInfoResolverChain.Insert(0, DigitsJson.Default));
        configure?.Invoke(builder);

        WebApplication app = builder.Build();
        app.Services.GetRequiredService<MetricsPage>(); // counts from the first run on
        app.MapPages();
        app.MapDigits();
        app.MapHealthChecks("/healthz/live", new HealthCheckOptions { Predicate = _ => false }); // the process answers
        app.MapHealthChecks("/healthz/ready", new HealthCheckOptions
        {
            Predicate = check => check.Tags.Contains(ReadyTag),
            ResponseWriter = HealthReportWriter.WriteAsync,
        });
        return app;
    }
}
