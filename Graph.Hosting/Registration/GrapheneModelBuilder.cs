using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Graphene.Hosting;

/// <summary>Says more about a model that was added to the services.</summary>
/// <remarks>
/// Later calls override earlier ones. The result can be watched and overridden as any options of .NET,
/// under the model's name.
/// </remarks>
/// <typeparam name="TModel">The class of the model.</typeparam>
public sealed class GrapheneModelBuilder<TModel>
    where TModel : class, IDisposable
{
    private readonly ModelRegistration<TModel> _registration;

    internal GrapheneModelBuilder(IServiceCollection services, ModelRegistration<TModel> registration)
    {
        Services = services;
        _registration = registration;
    }

    /// <summary>The services of the application.</summary>
    public IServiceCollection Services { get; }

    /// <summary>The name of the model: of its options, in logs, metrics and traces.</summary>
    public string Name => _registration.Name;

    /// <summary>Names the bundle.</summary>
    /// <param name="path">The file; a relative path starts at the host's content root.</param>
    /// <param name="reload">Whether a changed file takes the place of the model while the service runs.</param>
    public GrapheneModelBuilder<TModel> FromFile(string path, bool reload = false) => Configure(o =>
    {
        o.Path = path;
        o.Reload = reload;
    });

    /// <summary>Runs the model on an NVIDIA GPU; its bundle must have code for it.</summary>
    /// <param name="number">The number of the GPU, as the driver counts them, from 0.</param>
    public GrapheneModelBuilder<TModel> OnGpu(int number = 0) => Configure(o => o.Gpu = number);

    /// <summary>Sets options.</summary>
    public GrapheneModelBuilder<TModel> Configure(Action<GrapheneModelOptions> configure)
    {
        Services.Configure(Name, configure);
        return this;
    }

    /// <summary>
    /// Reads options from a section whose keys are the names of <see cref="GrapheneModelOptions"/>, now
    /// and when it changes.
    /// </summary>
    /// <param name="section">For example <c>configuration.GetSection("Models:Digits")</c>. A key that is no option is an error.</param>
    public GrapheneModelBuilder<TModel> FromConfiguration(IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(section);
        var options = new ModelOptionsSection(Name, section);
        Services.AddSingleton<IConfigureOptions<GrapheneModelOptions>>(options);
        Services.AddSingleton<IOptionsChangeTokenSource<GrapheneModelOptions>>(options);
        return this;
    }

    /// <summary>Runs something with each version before it answers requests, in place of one run on zeros.</summary>
    /// <param name="run">Inputs as they come, for instance recorded ones. When it throws, the version is not taken.</param>
    public GrapheneModelBuilder<TModel> WarmUpWith(Action<TModel> run)
    {
        ArgumentNullException.ThrowIfNull(run);
        _registration.Samples.Add(run);
        return this;
    }
}
