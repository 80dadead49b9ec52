using Microsoft.Extensions.Options;

namespace Graphene.Hosting;

/// <summary>Checks the options of one model when the host starts and whenever they change.</summary>
internal sealed class ModelOptionsValidator(string model) : IValidateOptions<GrapheneModelOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, GrapheneModelOptions options)
    {
        if (name != model)
        {
            return ValidateOptionsResult.Skip;
        }
        try
        {
            options.Validate(model);
            return ValidateOptionsResult.Success;
        }
        catch (GraphException e)
        {
            return ValidateOptionsResult.Fail(e.Message);
        }
    }
}
