using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Graphene.Hosting;

/// <summary>Reads the options of a model from a section of the configuration, and says when the section changed.</summary>
/// <remarks>Written out rather than bound by reflection: a setting that is misspelt is an error and not ignored.</remarks>
internal sealed class ModelOptionsSection(string model, IConfiguration section)
    : IConfigureNamedOptions<GrapheneModelOptions>, IOptionsChangeTokenSource<GrapheneModelOptions>
{
    private const string Settings = "Path, Reload, PollInterval, QuietTime, CopyFolder, Gpu, LoadInBackground, WarmUp, WarmUpDims";

    /// <inheritdoc/>
    public string Name => model;

    /// <inheritdoc/>
    public IChangeToken GetChangeToken() => section.GetReloadToken();

    /// <inheritdoc/>
    public void Configure(GrapheneModelOptions options) => Configure(Options.DefaultName, options);

    /// <inheritdoc/>
    public void Configure(string? name, GrapheneModelOptions options)
    {
        if (name != model)
        {
            return;
        }
        foreach (IConfigurationSection setting in section.GetChildren())
        {
            Apply(setting, options);
        }
    }

    private void Apply(IConfigurationSection setting, GrapheneModelOptions options)
    {
        switch (setting.Key.ToUpperInvariant())
        {
            case "PATH":
                options.Path = setting.Value;
                break;
            case "RELOAD":
                options.Reload = YesOrNo(setting);
                break;
            case "POLLINTERVAL":
                options.PollInterval = Time(setting);
                break;
            case "QUIETTIME":
                options.QuietTime = Time(setting);
                break;
            case "COPYFOLDER":
                options.CopyFolder = setting.Value;
                break;
            case "GPU":
                options.Gpu = int.TryParse(setting.Value, CultureInfo.InvariantCulture, out int number)
                    ? number
                    : throw Bad(setting, "the number of a GPU, as 0");
                break;
            case "LOADINBACKGROUND":
                options.LoadInBackground = YesOrNo(setting);
                break;
            case "WARMUP":
                options.WarmUp = YesOrNo(setting);
                break;
            case "WARMUPDIMS":
                foreach (IConfigurationSection dim in setting.GetChildren())
                {
                    options.WarmUpDims[dim.Key] = long.TryParse(dim.Value, CultureInfo.InvariantCulture, out long size)
                        ? size
                        : throw Bad(dim, "a whole number, as 8");
                }
                break;
            default:
                throw GrapheneModelOptions.Bad(
                    model, $"there is no setting '{setting.Key}'", $"choose from: {Settings}", $"configuration {setting.Path}");
        }
    }

    private bool YesOrNo(IConfigurationSection setting) =>
        bool.TryParse(setting.Value, out bool value) ? value : throw Bad(setting, "true or false");

    private TimeSpan Time(IConfigurationSection setting) =>
        TimeSpan.TryParse(setting.Value, CultureInfo.InvariantCulture, out TimeSpan value)
            ? value
            : throw Bad(setting, "hours:minutes:seconds, as 00:00:05");

    private GraphException Bad(IConfigurationSection setting, string form) => GrapheneModelOptions.Bad(
        model, $"'{setting.Value}' is no value for '{setting.Key}'", $"write {form}", $"configuration {setting.Path}");
}
