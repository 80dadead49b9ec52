using Graphene.Samples.Digits;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Graphene.Samples.DigitsWorker;

/// <summary>A service without a network: it reads the digits in the pictures that somebody puts into a folder.</summary>
public static class DigitsWorkerApp
{
    /// <summary>Puts the service together.</summary>
    /// <param name="args">Settings, as <c>--Folders:Inbox in</c>.</param>
    public static IHost Create(string[] args)
    {
        HostApplicationBuilder builder = Host.CreateApplicationBuilder(args);
        IConfiguration configuration = builder.Configuration;
        builder.Services.AddGrapheneModel<DigitsModel>()
            .Configure(o => o.Reload = true)
            .FromConfiguration(configuration.GetSection("Models:Digits"));
        builder.Services.AddOptions<FolderOptions>()
            .Configure(o =>
            {
                o.Inbox = configuration["Folders:Inbox"] ?? o.Inbox;
                o.Outbox = configuration["Folders:Outbox"] ?? o.Outbox;
            })
            .Validate(o => Path.GetFullPath(o.Inbox) != Path.GetFullPath(o.Outbox), "Folders:Inbox and Folders:Outbox are the same folder")
            .ValidateOnStart();
        builder.Services.AddHostedService<FolderWorker>();
        return builder.Build();
    }
}
