using Graphene.Hosting;
using Graphene.Samples.Digits;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Graphene.Samples.DigitsService;

/// <summary>The operations of the service; Pages/openapi.json describes them.</summary>
internal static class DigitsApi
{
    /// <summary>Adds them.</summary>
    public static void MapDigits(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/digits", ReadAsync);
        app.MapGet("/api/model", (IGrapheneModel<DigitsModel> model) => TypedResults.Ok(ModelReply.Of(model.Version!)));
    }

    private static async Task<IResult> ReadAsync(
        HttpRequest request, IGrapheneModel<DigitsModel> model, CancellationToken cancellation)
    {
        try
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body, cancellation).ConfigureAwait(false);
            byte[]? image = DigitNormalizer.Normalize(GreyImage.Decode(body.GetBuffer().AsMemory(0, (int)body.Length)));
            if (image is null)
            {
                return Refused("Nothing is drawn in the picture.", StatusCodes.Status422UnprocessableEntity);
            }
            // What the request does with the model lies between these two lines: one version, whatever happens to the file.
            using ModelLease<DigitsModel> lease = model.Acquire();
            return TypedResults.Ok(DigitReply.Of(DigitAnswer.Of(lease.Model, image), image, lease.Version));
        }
        catch (ImageFormatException e)
        {
            return Refused(e.Message, StatusCodes.Status400BadRequest);
        }
        catch (BadHttpRequestException e)
        {
            return Refused(e.Message, e.StatusCode); // Kestrel refuses bodies that are too long
        }
    }

    private static IResult Refused(string detail, int status) =>
        TypedResults.Problem(detail, statusCode: status, title: "The picture cannot be read.");
}
