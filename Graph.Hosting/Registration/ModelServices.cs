using System.Diagnostics.Metrics;
using Graphene.Runtime;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Graphene.Hosting;

/// <summary>Registers what a model consists of.</summary>
internal static class ModelServices
{
    /// <summary>Registers a model, or finds the one of that name and class.</summary>
    /// <param name="services">Where.</param>
    /// <param name="key">The key that it is injected by, or null for the only model of its class.</param>
    /// <param name="name">Its name.</param>
    /// <param name="create">Makes it from a bundle.</param>
    /// <param name="bundleName">The name of the bundle that is looked for beside the application when no other is named, or null.</param>
    /// <exception cref="GraphException">GR8005: another class has a model of that name.</exception>
    public static GrapheneModelBuilder<TModel> Add<TModel>(
        IServiceCollection services, string? key, string name, Func<CompiledGraph, TModel> create, string? bundleName)
        where TModel : class, IDisposable
    {
        ArgumentNullException.ThrowIfNull(services);
        if (Find(services, name) is { } known)
        {
            return known is ModelRegistration<TModel> same
                ? new GrapheneModelBuilder<TModel>(services, same)
                : throw new GraphException(
                    HostingDiagnostics.NameTaken, $"a model of another class is named '{name}' already",
                    fix: "give each model a name of its own: AddGrapheneModel<TModel>(\"name\")");
        }
        var registration = new ModelRegistration<TModel>(name, create);
        services.AddSingleton<ModelRegistration>(registration);
        AddShared(services);
        AddOptions(services, name, bundleName);
        services.AddKeyedSingleton(name, (provider, _) => new ModelHost<TModel>(
            name, new ModelLoader<TModel>(name, create, registration.Samples, provider.GetRequiredService<ModelGpus>()),
            provider.GetRequiredService<GrapheneTelemetry>(), LoggerOf(provider)));
        if (key is null)
        {
            services.AddSingleton<IGrapheneModel<TModel>>(p => p.GetRequiredKeyedService<ModelHost<TModel>>(name));
        }
        else
        {
            services.AddKeyedSingleton<IGrapheneModel<TModel>>(
                key, (p, _) => p.GetRequiredKeyedService<ModelHost<TModel>>(name));
        }
        services.AddSingleton<IHostedService>(p => new ModelService<TModel>(
            p.GetRequiredKeyedService<ModelHost<TModel>>(name), p.GetRequiredService<IOptionsMonitor<GrapheneModelOptions>>(),
            LoggerOf(p)));
        return new GrapheneModelBuilder<TModel>(services, registration);
    }

    private static ModelRegistration? Find(IServiceCollection services, string name)
    {
        foreach (ServiceDescriptor service in services)
        {
            if (!service.IsKeyedService && service.ImplementationInstance is ModelRegistration model && model.Name == name)
            {
                return model;
            }
        }
        return null;
    }

    private static void AddShared(IServiceCollection services)
    {
        services.TryAddSingleton(p => new GrapheneTelemetry(p.GetService<IMeterFactory>()));
        services.TryAddSingleton(_ => new ModelGpus(CudaDevice.Open));
    }

    private static void AddOptions(IServiceCollection services, string name, string? bundleName)
    {
        OptionsBuilder<GrapheneModelOptions> options = services.AddOptions<GrapheneModelOptions>(name);
        options.PostConfigure<IServiceProvider>((o, provider) => o.Path = o.Path is null && bundleName is not null
            ? BundleFolder.Find(bundleName)
            : FullPath(o.Path, provider));
        options.ValidateOnStart();
        services.AddSingleton<IValidateOptions<GrapheneModelOptions>>(new ModelOptionsValidator(name));
    }

    private static string? FullPath(string? path, IServiceProvider provider) => string.IsNullOrWhiteSpace(path)
        ? null
        : Path.GetFullPath(path, provider.GetService<IHostEnvironment>()?.ContentRootPath is { Length: > 0 } root
            ? Path.GetFullPath(root)
            : AppContext.BaseDirectory);

    private static ILogger LoggerOf(IServiceProvider provider) =>
        provider.GetService<ILoggerFactory>()?.CreateLogger(ModelLog.Category) ?? NullLogger.Instance;
}
